//! logbeacon-store: the embedded store of LogBeacon.
