namespace FastNN;

/// <summary>How a table is written.</summary>
public enum SummaryFormat
{
    /// <summary>Columns filled with spaces, for consoles.</summary>
    Text,

    /// <summary>A table of Markdown, for documents.</summary>
    Markdown,
}
