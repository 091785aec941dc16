//! JavaScript values to AMF and back.

use chalkcast_core::amf0::{Object as AmfObject, Value};
use chalkcast_core::amf3;
use js_sys::{Array, Date, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::page::set;

/// Deeper than this is taken for a cycle and left out.
const DEPTH: usize = 32;

/// The values of a JavaScript array. Functions and symbols become undefined.
pub(crate) fn from_array(array: Option<Array>) -> Vec<Value> {
    array
        .map(|array| array.iter().map(|value| from_js(&value)).collect())
        .unwrap_or_default()
}

pub(crate) fn from_js(value: &JsValue) -> Value {
    convert(value, 0)
}

fn convert(value: &JsValue, depth: usize) -> Value {
    if value.is_null() {
        Value::Null
    } else if let Some(number) = value.as_f64() {
        Value::Number(number)
    } else if let Some(boolean) = value.as_bool() {
        Value::Boolean(boolean)
    } else if let Some(text) = value.as_string() {
        Value::String(text)
    } else if !value.is_object() || depth >= DEPTH {
        Value::Undefined
    } else if let Some(date) = value.dyn_ref::<Date>() {
        Value::Date {
            millis: date.get_time(),
            time_zone: 0,
        }
    } else if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        Value::AvmPlus(Box::new(amf3::Value::ByteArray(bytes.to_vec())))
    } else if let Some(array) = value.dyn_ref::<Array>() {
        Value::StrictArray(
            array
                .iter()
                .map(|value| convert(&value, depth + 1))
                .collect(),
        )
    } else {
        let mut object = AmfObject::new();
        for name in Object::keys(value.unchecked_ref::<Object>()).iter() {
            if let Ok(property) = Reflect::get(value, &name) {
                object.insert(
                    name.as_string().unwrap_or_default(),
                    convert(&property, depth + 1),
                );
            }
        }
        Value::Object(object)
    }
}

pub(crate) fn to_array<'a>(values: impl IntoIterator<Item = &'a Value>) -> Array {
    values.into_iter().map(to_js).collect()
}

pub(crate) fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Number(number) => JsValue::from_f64(*number),
        Value::Boolean(boolean) => JsValue::from_bool(*boolean),
        Value::String(text) | Value::Xml(text) => JsValue::from_str(text),
        Value::Null => JsValue::NULL,
        Value::Object(object) | Value::EcmaArray(object) | Value::TypedObject { object, .. } => {
            to_object(object).into()
        }
        Value::StrictArray(values) => to_array(values).into(),
        Value::Date { millis, .. } => Date::new(&JsValue::from_f64(*millis)).into(),
        Value::AvmPlus(value) => match &**value {
            amf3::Value::ByteArray(bytes) => Uint8Array::from(bytes.as_slice()).into(),
            _ => match value_in_amf0(value) {
                Value::AvmPlus(_) => JsValue::UNDEFINED,
                other => to_js(&other),
            },
        },
        _ => JsValue::UNDEFINED,
    }
}

pub(crate) fn to_object(properties: &AmfObject) -> Object {
    let object = Object::new();
    for (name, value) in properties.iter() {
        set(&object, name, &to_js(value));
    }
    object
}

fn value_in_amf0(value: &amf3::Value) -> Value {
    Value::AvmPlus(Box::new(value.clone())).into_amf0()
}
