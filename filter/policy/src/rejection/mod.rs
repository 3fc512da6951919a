//! Every reason to reject a request, and the one table from reason to reply.
