//! How mailboxes in several languages name their folders and days.

/// A language as Exchange sets a mailbox up in it.
pub(super) struct Locale {
    pub tag: &'static str,
    pub name: &'static str,
    /// Windows name, as `mailboxSettings` answers it.
    pub zone: &'static str,
    pub date_format: &'static str,
    /// Display names, in the order of [`ROLES`].
    pub folders: [&'static str; ROLES.len()],
}

/// The well-known names every mailbox has, in the order of [`Locale::folders`].
#[rustfmt::skip]
pub(super) const ROLES: [&str; 14] = [
    "msgfolderroot", "inbox", "drafts", "sentitems", "deleteditems", "junkemail", "archive", "outbox",
    "conversationhistory", "syncissues", "conflicts", "localfailures", "serverfailures", "searchfolders",
];

#[rustfmt::skip]
pub(super) const LOCALES: [Locale; 8] = [
    Locale { tag: "fr-FR", name: "French (France)", zone: "Romance Standard Time", date_format: "dd/MM/yyyy", folders: [
        "Racine de la banque d'informations", "Boîte de réception", "Brouillons", "Éléments envoyés",
        "Éléments supprimés", "Courrier indésirable", "Archive", "Boîte d'envoi", "Historique des conversations",
        "Problèmes de synchronisation", "Conflits", "Défaillances locales", "Défaillances du serveur", "Recherches" ] },
    Locale { tag: "de-DE", name: "German (Germany)", zone: "W. Europe Standard Time", date_format: "dd.MM.yyyy", folders: [
        "Oberste Ebene des Informationsspeichers", "Posteingang", "Entwürfe", "Gesendete Elemente",
        "Gelöschte Elemente", "Junk-E-Mail", "Archiv", "Postausgang", "Aufgezeichnete Unterhaltungen",
        "Synchronisierungsprobleme", "Konflikte", "Lokale Fehler", "Serverfehler", "Suchordner" ] },
    Locale { tag: "en-GB", name: "English (United Kingdom)", zone: "GMT Standard Time", date_format: "dd/MM/yyyy", folders: [
        "Top of Information Store", "Inbox", "Drafts", "Sent Items", "Deleted Items", "Junk Email", "Archive",
        "Outbox", "Conversation History", "Sync Issues", "Conflicts", "Local Failures", "Server Failures", "Finder" ] },
    Locale { tag: "ja-JP", name: "Japanese (Japan)", zone: "Tokyo Standard Time", date_format: "yyyy/MM/dd", folders: [
        "インフォメーション ストアの先頭", "受信トレイ", "下書き", "送信済みアイテム", "削除済みアイテム", "迷惑メール",
        "アーカイブ", "送信トレイ", "会話の履歴", "同期の失敗", "競合", "ローカル エラー", "サーバー エラー", "検索フォルダー" ] },
    Locale { tag: "es-ES", name: "Spanish (Spain)", zone: "Romance Standard Time", date_format: "dd/MM/yyyy", folders: [
        "Principio del almacén de información", "Bandeja de entrada", "Borradores", "Elementos enviados",
        "Elementos eliminados", "Correo no deseado", "Archivo", "Bandeja de salida", "Historial de conversaciones",
        "Problemas de sincronización", "Conflictos", "Errores locales", "Errores del servidor", "Buscador" ] },
    Locale { tag: "pl-PL", name: "Polish (Poland)", zone: "Central European Standard Time", date_format: "dd.MM.yyyy", folders: [
        "Początek magazynu informacji", "Skrzynka odbiorcza", "Wersje robocze", "Elementy wysłane", "Elementy usunięte",
        "Wiadomości-śmieci", "Archiwum", "Skrzynka nadawcza", "Historia konwersacji", "Problemy z synchronizacją",
        "Konflikty", "Błędy lokalne", "Błędy serwera", "Wyszukiwanie" ] },
    Locale { tag: "nl-NL", name: "Dutch (Netherlands)", zone: "W. Europe Standard Time", date_format: "d-M-yyyy", folders: [
        "Bovenste niveau van gegevensarchief", "Postvak IN", "Concepten", "Verzonden items", "Verwijderde items",
        "Ongewenste e-mail", "Archief", "Postvak UIT", "Gespreksgeschiedenis", "Synchronisatieproblemen", "Conflicten",
        "Lokale fouten", "Serverfouten", "Zoekmappen" ] },
    Locale { tag: "el-GR", name: "Greek (Greece)", zone: "GTB Standard Time", date_format: "d/M/yyyy", folders: [
        "Αρχή χώρου αποθήκευσης πληροφοριών", "Εισερχόμενα", "Πρόχειρα", "Απεσταλμένα", "Διαγραμμένα",
        "Ανεπιθύμητη αλληλογραφία", "Αρχειοθήκη", "Εξερχόμενα", "Ιστορικό συνομιλιών", "Θέματα συγχρονισμού",
        "Διενέξεις", "Τοπικές αποτυχίες", "Αποτυχίες διακομιστή", "Αναζητήσεις" ] },
];
