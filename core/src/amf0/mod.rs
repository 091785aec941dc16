//! AMF0 values (amf0-file-format-spec).
