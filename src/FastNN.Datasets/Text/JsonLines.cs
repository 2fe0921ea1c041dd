using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FastNN.Data;

/// <summary>Records of texts, an object of JSON in each line (UTF-8), as which the cache keeps datasets of texts.</summary>
internal static class JsonLines
{
    /// <summary>Writes records, always in the same bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fields">The names of the fields.</param>
    /// <param name="records">The texts of each record, in the order of the fields.</param>
    public static void Write(string path, string[] fields, IEnumerable<string[]> records)
    {
        using var file = new StreamWriter(path, append: false, new UTF8Encoding(false), 1 << 16) { NewLine = "\n" };
        var line = new StringBuilder();
        foreach (string[] record in records)
        {
            line.Clear();
            for (int i = 0; i < fields.Length; i++)
            {
                line.Append(i == 0 ? '{' : ',');
                Quote(line, fields[i]);
                line.Append(':');
                Quote(line, record[i]);
            }

            file.WriteLine(line.Append('}'));
        }
    }

    /// <summary>Reads records.</summary>
    /// <param name="content">The file's content.</param>
    /// <param name="path">What messages call it.</param>
    /// <param name="fields">The names of the fields; others are passed over.</param>
    /// <param name="make">Makes a record of its texts, in the order of the fields, and of the number of its line.</param>
    /// <exception cref="FileFormatException">A line is no object, or a field is missing, given twice or no text; there is no
    /// record.</exception>
    public static List<T> Read<T>(byte[] content, string path, string[] fields, Func<string[], int, T> make)
    {
        var records = new List<T>();
        int number = 0;
        for (int at = 0; at < content.Length;)
        {
            number++;
            int end = content.AsSpan(at).IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? content.AsSpan(at) : content.AsSpan(at, end);
            at += line.Length + 1;
            if (line.ContainsAnyExcept(" \r\t"u8))
            {
                records.Add(make(ReadLine(line, path, number, fields), number));
            }
        }

        return records.Count > 0
            ? records
            : throw new FileFormatException(path, number + 1, 1, "a line with a JSON object", "the end of the file");
    }

    private static string[] ReadLine(ReadOnlySpan<byte> line, string path, int number, string[] fields)
    {
        var texts = new string?[fields.Length];
        var reader = new Utf8JsonReader(line);
        try
        {
            Expect(reader.Read() && reader.TokenType == JsonTokenType.StartObject, "a JSON object", ref reader);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                int field = Array.IndexOf(fields, reader.GetString());
                reader.Read();
                if (field < 0)
                {
                    reader.Skip();
                    continue;
                }

                Expect(reader.TokenType == JsonTokenType.String, $"a text in field '{fields[field]}'", ref reader);
                Expect(texts[field] is null, $"field '{fields[field]}' once", ref reader);
                texts[field] = reader.GetString();
            }

            Expect(!reader.Read(), "the end of the line after the object", ref reader);
            int missing = Array.IndexOf(texts, null);
            Expect(missing < 0, $"a field '{fields[Math.Max(missing, 0)]}'", ref reader);
            return texts!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            int column = 1 + (int)((e as JsonException)?.BytePositionInLine ?? reader.BytesConsumed);
            throw new FileFormatException(path, number, column, "an object of JSON in UTF-8", e.Message);
        }

        void Expect(bool condition, string expected, ref Utf8JsonReader at)
        {
            if (!condition)
            {
                throw new FileFormatException(path, number, 1 + (int)at.BytesConsumed, expected, $"{at.TokenType}");
            }
        }
    }

    // Only what JSON asks for is escaped. The library's own encoders escape more, and may change what with a version.
    private static void Quote(StringBuilder line, string text)
    {
        line.Append('"');
        foreach (char c in text)
        {
            switch (c)
            {
                case '"' or '\\':
                    line.Append('\\').Append(c);
                    break;
                case '\n':
                    line.Append("\\n");
                    break;
                case < ' ':
                    line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    break;
                default:
                    line.Append(c);
                    break;
            }
        }

        line.Append('"');
    }
}
