//! Zone: whose midnight and hours count.

use logwell_options::choices;

choices! {
    /// The zone of a shown time.
    pub enum TimeZone: Local {
        /// coordinated universal time
        Utc = "utc",
        /// the zone of the machine
        Local = "local",
    }
}
