//! Which address and scheme the client really used, behind trusted proxies.
