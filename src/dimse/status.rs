//! Status codes of DIMSE responses (PS3.7 Annex C, PS3.4 Table B.2-1).

/// Success.
pub const SUCCESS: u16 = 0x0000;
/// Processing failure: an error inside the node.
pub const PROCESSING_FAILURE: u16 = 0x0110;
/// No such SOP instance.
pub const NO_SUCH_INSTANCE: u16 = 0x0112;
/// No such event type.
pub const NO_SUCH_EVENT: u16 = 0x0113;
/// Invalid argument value.
pub const INVALID_ARGUMENT: u16 = 0x0115;
/// No such object instance, or a malformed SOP Instance UID.
pub const INVALID_INSTANCE: u16 = 0x0117;
/// No such SOP class.
pub const NO_SUCH_CLASS: u16 = 0x0118;
/// Refused: SOP class not supported.
pub const CLASS_NOT_SUPPORTED: u16 = 0x0122;
/// No such action.
pub const NO_SUCH_ACTION: u16 = 0x0123;
/// Refused: not authorized.
pub const NOT_AUTHORIZED: u16 = 0x0124;
/// Unrecognized operation.
pub const UNRECOGNIZED_OPERATION: u16 = 0x0211;
/// Mistyped argument.
pub const MISTYPED_ARGUMENT: u16 = 0x0212;
/// Resource limitation.
pub const RESOURCE_LIMITATION: u16 = 0x0213;
/// Refused: out of resources.
pub const OUT_OF_RESOURCES: u16 = 0xA700;
/// Error: data set does not match SOP class (or instance).
pub const DATA_SET_MISMATCH: u16 = 0xA900;
/// Error: cannot understand.
pub const CANNOT_UNDERSTAND: u16 = 0xC000;

/// Answers other than success: an enum of them, each with its status, its Error
/// Comment and when it is given, in one list that `airlock conformance` prints.
macro_rules! statuses {
    ($(#[$of:meta])* $Of:ident
     $($(#[$doc:meta])* $name:ident = $status:expr, $comment:literal, $when:literal;)+) => {
        $(#[$of])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Of {
            $($(#[$doc])* $name,)+
        }

        impl $Of {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Status (0000,0900).
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// Error Comment (0000,0902): at most 64 characters, and no value of the
            /// data set.
            #[must_use]
            pub fn comment(self) -> &'static str {
                match self { $(Self::$name => $comment,)+ }
            }

            /// When it is given.
            #[must_use]
            pub fn when(self) -> &'static str {
                match self { $(Self::$name => $when,)+ }
            }
        }
    };
}
pub(crate) use statuses;
