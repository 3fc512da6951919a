/** The production tenant, imported. That takes ten seconds of schema compilation a time, so all tests share it. */
import { importTenant } from '../support/import.mjs';

export const imported = await importTenant();
