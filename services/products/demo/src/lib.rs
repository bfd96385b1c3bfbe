//! demo-catalogue
