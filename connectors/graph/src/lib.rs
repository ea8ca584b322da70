//! Microsoft Graph as a source of transhume
