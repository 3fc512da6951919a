/** The production tenant, imported twice. One import costs ten seconds of schema compilation, so all tests share this one. */
import { importTenant } from '../support/import.mjs';

export const imported = importTenant(2);
