//! A small `winmail.dat`, after [MS-OXTNEF]: a subject, a body and one attachment.

const SIGNATURE: u32 = 0x223E_9F78;
const MESSAGE: u8 = 1;
const ATTACHMENT: u8 = 2;

/// The attributes in the order that Outlook writes them.
pub(super) fn winmail() -> Vec<u8> {
    let mut out = SIGNATURE.to_le_bytes().to_vec();
    out.extend_from_slice(&7_u16.to_le_bytes()); // the key, any number but zero
    out.extend(attribute(MESSAGE, 0x0008_9006, &0x0001_0000_u32.to_le_bytes())); // attTnefVersion
    out.extend(attribute(MESSAGE, 0x0006_9007, &[1252_u32.to_le_bytes(), [0; 4]].concat())); // attOemCodepage
    out.extend(attribute(MESSAGE, 0x0007_8008, b"IPM.Microsoft Mail.Note\0")); // attMessageClass
    out.extend(attribute(MESSAGE, 0x0001_8004, b"Budget en TNEF\0")); // attSubject
    out.extend(attribute(MESSAGE, 0x0002_800C, b"Voir la pi\xe8ce jointe.\r\n\0")); // attBody
    out.extend(attribute(ATTACHMENT, 0x0006_9002, &rendering())); // attAttachRenddata
    out.extend(attribute(ATTACHMENT, 0x0001_8010, b"budget.csv\0")); // attAttachTitle
    out.extend(attribute(ATTACHMENT, 0x0006_800F, b"poste;montant\r\n")); // attAttachData
    out
}

/// Level, id, length, data, and the sum of the data's bytes modulo 65536.
fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    let length = u32::try_from(data.len()).unwrap_or(0);
    [&[level][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &sum.to_le_bytes()].concat()
}

/// RENDDATA: a file, not shown within the text.
fn rendering() -> Vec<u8> {
    [
        &1_u16.to_le_bytes()[..],
        &u32::MAX.to_le_bytes(),
        &0_u16.to_le_bytes(),
        &0_u16.to_le_bytes(),
        &0_u32.to_le_bytes(),
    ]
    .concat()
}
