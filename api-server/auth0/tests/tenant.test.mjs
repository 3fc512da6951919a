/** What tenant.yaml becomes. */
import './tenant/agreement.mjs';
import './tenant/guide.mjs';
import './tenant/requests.mjs';
