using System.Text.Json;
using System.Text.Unicode;

namespace FastNN.Hosting.Rest;

/// <summary>Values of a request's JSON, checked, without objects of their own.</summary>
internal static class JsonText
{
    /// <summary>The longest name of a tensor, a type or the like.</summary>
    private const int MaxTextBytes = 4096;

    /// <summary>An error of the caller.</summary>
    public static InferenceException Invalid(string message) => new(InferenceFailure.InvalidInput, message);

    /// <summary>Where JSON itself is wrong.</summary>
    public static InferenceException NotJson(JsonException wrong) =>
        Invalid($"the request is not valid JSON at line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine + 1}" +
            "; NaN and infinities are sent as the strings \"NaN\", \"Infinity\" and \"-Infinity\", or as binary data");

    /// <summary>
    /// Whether the string or name that the reader stands on is a given one; one with half of a surrogate pair is none.
    /// </summary>
    public static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> text)
    {
        try
        {
            return reader.ValueTextEquals(text);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Moves to the value behind a property's name, which must be of one kind.</summary>
    public static void ReadValue(ref Utf8JsonReader reader, JsonTokenType kind, string what)
    {
        _ = reader.Read();
        Require(ref reader, kind, what);
    }

    /// <summary>Refuses a value of another kind.</summary>
    public static void Require(ref Utf8JsonReader reader, JsonTokenType kind, string what)
    {
        if (reader.TokenType != kind)
        {
            throw Invalid($"{what}: expected {Kind(kind)}, got {Kind(reader.TokenType)}");
        }
    }

    /// <summary>What a token is called.</summary>
    public static string Kind(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        JsonTokenType.Null => "null",
        _ => "the end of its array or object",
    };

    /// <summary>Copies the string that the reader stands on, unescaped and checked to be UTF-8.</summary>
    /// <returns>How many bytes it has; <paramref name="to"/> is replaced where it was too short.</returns>
    public static int Copy(ref Utf8JsonReader reader, ref byte[] to, string what, int maxBytes = MaxTextBytes)
    {
        long length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (length > maxBytes)
        {
            throw Invalid($"{what}: expected a string of at most {maxBytes} bytes, got {length}");
        }

        if (to.Length < length)
        {
            to = new byte[Math.Max(length, 2 * to.Length)];
        }

        return CopyTo(ref reader, to, what);
    }

    /// <summary>Copies the string that the reader stands on into memory that is long enough for it as it is written.</summary>
    public static int CopyTo(ref Utf8JsonReader reader, Span<byte> to, string what)
    {
        try
        {
            int written = reader.CopyString(to);
            if (Utf8.IsValid(to[..written]))
            {
                return written;
            }
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: answered below, as bytes that are not UTF-8 are.
        }

        throw Invalid($"{what}: expected a string of valid UTF-8, and escapes of whole characters");
    }

    /// <summary>A whole number.</summary>
    public static long ReadInteger(ref Utf8JsonReader reader, string what)
    {
        ReadValue(ref reader, JsonTokenType.Number, what);
        return reader.TryGetInt64(out long value) ? value : throw Invalid($"{what}: expected a whole number of 64 bits");
    }

    /// <summary>True or false.</summary>
    public static bool ReadBoolean(ref Utf8JsonReader reader, string what)
    {
        _ = reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            _ => throw Invalid($"{what}: expected true or false, got {Kind(reader.TokenType)}"),
        };
    }
}
