//! The keyed digest of CRAM-MD5 (RFC 2195, RFC 2104): old, and still all that some servers offer.

use md5::{Digest, Md5};

/// In hexadecimal digits.
pub(super) fn hmac_md5(key: &[u8], text: &[u8]) -> String {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        let short = Md5::digest(key);
        block[..short.len()].copy_from_slice(&short);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Md5::new().chain_update(padded(0x36)).chain_update(text).finalize();
    let outer = Md5::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(hmac_md5(b"tanstaaftanstaaf", challenge), "b913a602c7eda7a495b4e6e7334d3890");
    }

    #[test]
    fn a_long_key_is_shortened_as_rfc_2202_has_it() {
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hmac_md5(&[0xaa; 80], text), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
    }
}
