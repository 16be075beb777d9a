//! An enum whose variants, list and names come from one table, so that none can be forgotten.

/// Defines an enum with `ALL`, its variants in order, and `name`, their names in the table,
/// in notices and in `--json`.
macro_rules! listed {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $( $(#[$doc:meta])* $variant:ident = $text:literal, )*
        }
    ) => {
        $(#[$attribute])*
        pub enum $name {
            $( $(#[$doc])* $variant, )*
        }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name in the table, in notices and in `--json`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

pub(crate) use listed;
