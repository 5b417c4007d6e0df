//! Address: which addresses a check may connect to, whatever name led there.
//!
//! Knows: addresses of clouds' metadata services, and IPv4 addresses inside of IPv6 ones. Must not
//! know: names or sockets. In: an address after resolution; out: yes, or why not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Refuses addresses that no check has a business with. To be asked at each connection, for a name
/// may lead somewhere else the next time, and for each hop of a redirect.
///
/// Private addresses and the own machine are what a monitor is for; metadata services are not.
///
/// # Errors
///
/// The address is one of a metadata service, link-local, multicast, or no address at all.
pub fn permit(address: IpAddr) -> Result<(), String> {
    let refused = |what: &str| Err(format!("{address} is {what}: no check connects to it"));
    let embedded = match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => embedded(v6),
    };
    if METADATA_V6.iter().any(|metadata| address == IpAddr::V6(*metadata)) {
        return refused("a metadata service");
    }
    if let Some(v4) = embedded {
        if METADATA_V4.contains(&v4) {
            return refused("a metadata service");
        }
        if v4.is_link_local() {
            return refused("link-local");
        }
        if v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified() {
            return refused("not the address of one machine");
        }
    }
    if let IpAddr::V6(v6) = address {
        if v6.is_unicast_link_local() {
            return refused("link-local");
        }
        if v6.is_multicast() || v6.is_unspecified() {
            return refused("not the address of one machine");
        }
    }
    Ok(())
}

/// The IPv4 address to which packets for this address go: mapped, compatible, 6to4, NAT64, Teredo.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        (0, 0) if (c, d, e) == (0, 0, 0) && f == 0xFFFF => v4(g, h),
        // `::` and `::1` are no IPv4 addresses.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0) && (g, h > 1) != (0, false) => v4(g, h),
        (0, 0) if (c, d) == (0, 0) && (e, f) == (0xFFFF, 0) => v4(g, h),
        (0x2002, _) => v4(b, c),
        (0x64, 0xFF9B) => v4(g, h),
        (0x2001, 0) => v4(!g, !h),
        _ => None,
    }
}

/// AWS and most others, Alibaba, Azure, Oracle.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// AWS, Google.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xFD20, 0xCE, 0, 0, 0, 0, 0, 0x254),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_refused_in_every_spelling_and_private_addresses_are_not() {
        for refused in [
            "169.254.169.254",
            "169.254.1.1",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(permit(refused.parse().unwrap()).is_err(), "{refused}");
        }
        for allowed in
            ["127.0.0.1", "10.0.0.1", "192.168.1.1", "8.8.8.8", "::1", "fd12::1", "2606:4700::1"]
        {
            assert_eq!(permit(allowed.parse().unwrap()), Ok(()), "{allowed}");
        }
    }
}
