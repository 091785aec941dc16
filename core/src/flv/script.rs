//! Script data tags (Video File Format 10.1 §E.4.4): a name and AMF0 values.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::Error;
use crate::amf0::{self, Limits, Object, Value};

/// The payload of a script tag, and of an RTMP data message.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptData {
    /// What the values are: `onMetaData`, `onTextData`, or anything that the two ends agreed on.
    pub name: String,
    /// The values.
    pub values: Vec<Value>,
}

impl ScriptData {
    /// Data of this name.
    pub fn new(name: impl Into<String>, values: Vec<Value>) -> Self {
        Self {
            name: name.into(),
            values,
        }
    }

    /// The `onMetaData` that players read before the first frame.
    pub fn metadata(properties: Object) -> Self {
        Self::new("onMetaData", alloc::vec![Value::EcmaArray(properties)])
    }

    /// Reads a payload within the default limits. The name must be a string; a fault after the first value ends the values.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        Self::parse_with(payload, &Limits::default())
    }

    /// Reads a payload within `limits`.
    pub fn parse_with(payload: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut decoder = amf0::Decoder::new(payload, limits);
        let name = match decoder.next() {
            Some(Ok(Value::String(name))) => name,
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(_)) => return Err(Error::Truncated("script data's name, which is no string")),
            None => return Err(Error::Truncated("script data's name")),
        };
        let mut values = Vec::new();
        for value in decoder {
            match value {
                Ok(value) => values.push(value),
                // Flash Media Encoder and others leave bytes behind the values.
                Err(_) if !values.is_empty() => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { name, values })
    }

    /// The payload of a script tag.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        Value::from(self.name.as_str()).encode(&mut out);
        for value in &self.values {
            value.encode(&mut out);
        }
        out.into()
    }

    /// The first value's properties, as `onMetaData` has them.
    pub fn properties(&self) -> Option<&Object> {
        self.values.first()?.as_object()
    }
}

/// The `colorInfo` of Enhanced RTMP's video metadata (E-RTMP v2, Metadata Frame). What is absent is unknown; all absent means the codec's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColorInfo {
    /// Bits of each channel of a pixel.
    pub bit_depth: Option<f64>,
    /// ColourPrimaries of ITU-T H.273.
    pub color_primaries: Option<f64>,
    /// TransferCharacteristics of ITU-T H.273.
    pub transfer_characteristics: Option<f64>,
    /// MatrixCoefficients of ITU-T H.273.
    pub matrix_coefficients: Option<f64>,
    /// Largest average light level of a frame, in cd/m².
    pub max_fall: Option<f64>,
    /// Largest light level of a pixel, in cd/m².
    pub max_cll: Option<f64>,
    /// The mastering display, in the order of [`ColorInfo::MASTERING`].
    pub mastering: [Option<f64>; 10],
}

impl ColorInfo {
    /// The properties of `hdrMdcv`: chromaticities, then luminance in cd/m².
    pub const MASTERING: [&str; 10] = [
        "redX",
        "redY",
        "greenX",
        "greenY",
        "blueX",
        "blueY",
        "whitePointX",
        "whitePointY",
        "maxLuminance",
        "minLuminance",
    ];

    /// Reads the value of `colorInfo`; anything but an object resets to the default.
    pub fn from_value(value: &Value) -> Self {
        let part = |name| {
            value
                .as_object()
                .and_then(|object| object.get(name))
                .and_then(Value::as_object)
        };
        let number = |part: Option<&Object>, name| {
            part.and_then(|object| object.get(name))
                .and_then(Value::as_number)
        };
        let (config, light, mastering) = (part("colorConfig"), part("hdrCll"), part("hdrMdcv"));
        Self {
            bit_depth: number(config, "bitDepth"),
            color_primaries: number(config, "colorPrimaries"),
            transfer_characteristics: number(config, "transferCharacteristics"),
            matrix_coefficients: number(config, "matrixCoefficients"),
            max_fall: number(light, "maxFall"),
            max_cll: number(light, "maxCLL"),
            mastering: Self::MASTERING.map(|name| number(mastering, name)),
        }
    }

    /// The value of `colorInfo`.
    pub fn to_value(&self) -> Value {
        let config = [
            ("bitDepth", self.bit_depth),
            ("colorPrimaries", self.color_primaries),
            ("transferCharacteristics", self.transfer_characteristics),
            ("matrixCoefficients", self.matrix_coefficients),
        ];
        let light = [("maxFall", self.max_fall), ("maxCLL", self.max_cll)];
        let mut object = Object::new();
        let mut part = |name: &str, fields: &[(&str, Option<f64>)]| {
            let fields: Object = fields
                .iter()
                .filter_map(|(name, number)| Some((*name, (*number)?)))
                .collect();
            if !fields.is_empty() {
                object.insert(name, fields);
            }
        };
        part("colorConfig", &config);
        part("hdrCll", &light);
        let mastering: Vec<_> = Self::MASTERING.into_iter().zip(self.mastering).collect();
        part("hdrMdcv", &mastering);
        object.into()
    }
}
