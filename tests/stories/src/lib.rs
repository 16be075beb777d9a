//! Stories across functions, and checks of the pages that name tests.
