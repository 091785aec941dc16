//! AMF3 values (amf3-file-format-spec).
