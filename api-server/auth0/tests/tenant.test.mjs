/** What tenant.yaml becomes. */
import './tenant/agreement.mjs';
import './tenant/requests.mjs';
