/** Values for tests: what an operator would have in the environment, none of it real. */
export const ENVIRONMENT = {
  AUTH0_CLIENT_ID: 'deploy-client-id',
  AUTH0_CLIENT_SECRET: 'deploy-client-secret',
  API_INTERNAL_TOKEN: 'an-internal-token-of-a-test-0123456789',
  GOOGLE_CLIENT_ID: 'google-client-id',
  GOOGLE_CLIENT_SECRET: 'google-client-secret',
  GITHUB_CLIENT_ID: 'github-client-id',
  GITHUB_CLIENT_SECRET: 'github-client-secret',
};
