using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using FastNN.Hosting.Protocol;

namespace FastNN.Hosting.Rest;

/// <summary>
/// A tensor's elements from JSON straight into the memory of the call: as one flat array, or nested as the shape is. Numbers are
/// those of the type and in its range; floats take the strings NaN, Infinity and -Infinity besides, BOOL also 0 and 1, BYTES
/// strings alone.
/// </summary>
internal static class JsonTensorReader
{
    private const int StackBytes = 128;

    /// <summary>Reads the array that comes next.</summary>
    /// <param name="reader">Stands on the name "data".</param>
    /// <param name="inputs">The request's inputs.</param>
    /// <param name="ordinal">Which of them.</param>
    /// <param name="call">Whose memory is written.</param>
    /// <param name="scratch">For BYTES, whose size is known when all are read.</param>
    /// <param name="jsonBytes">How long the JSON is: a shape of more elements cannot be true, and gets no memory.</param>
    public static void Read(
        ref Utf8JsonReader reader,
        RequestInputs inputs,
        int ordinal,
        ModelCall call,
        ArrayBufferWriter<byte> scratch,
        long jsonBytes)
    {
        TensorDataType type = inputs.Tensor(ordinal).DataType;
        if (inputs.Elements(ordinal) > jsonBytes)
        {
            throw Wrong(inputs, ordinal,
                $"expected {inputs.Elements(ordinal)} elements (shape {Show.Shape(inputs.Dimensions(ordinal))}), got fewer");
        }

        if (type == TensorDataType.Bytes)
        {
            scratch.ResetWrittenCount();
            var text = new TextSink(scratch);
            ReadElements(ref reader, ref text, inputs, ordinal);
            scratch.WrittenSpan.CopyTo(inputs.Allocate(call, ordinal, scratch.WrittenCount));
            return;
        }

        Span<byte> memory = inputs.Allocate(call, ordinal, (long)inputs.Elements(ordinal) * TensorDataTypes.Size(type));
        switch (type)
        {
            case TensorDataType.Bool: Read<byte, BoolParser>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.UInt8: Read<byte, IntegerParser<byte>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.UInt16: Read<ushort, IntegerParser<ushort>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.UInt32: Read<uint, IntegerParser<uint>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.UInt64: Read<ulong, IntegerParser<ulong>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.Int8: Read<sbyte, IntegerParser<sbyte>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.Int16: Read<short, IntegerParser<short>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.Int32: Read<int, IntegerParser<int>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.Int64: Read<long, IntegerParser<long>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.Float16: Read<Half, FloatParser<Half>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.Float32: Read<float, FloatParser<float>>(ref reader, memory, inputs, ordinal); break;
            case TensorDataType.Float64: Read<double, FloatParser<double>>(ref reader, memory, inputs, ordinal); break;
            default: Read<ushort, BFloat16Parser>(ref reader, memory, inputs, ordinal); break;
        }
    }

    private static void Read<T, TParser>(ref Utf8JsonReader reader, Span<byte> memory, RequestInputs inputs, int ordinal)
        where T : unmanaged
        where TParser : IParser<T>
    {
        var sink = new NumberSink<T, TParser>(MemoryMarshal.Cast<byte, T>(memory));
        ReadElements(ref reader, ref sink, inputs, ordinal);
    }

    private static void ReadElements<TSink>(ref Utf8JsonReader reader, ref TSink sink, RequestInputs inputs, int ordinal)
        where TSink : ISink, allows ref struct
    {
        _ = reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Wrong(inputs, ordinal, $"expected 'data' to be an array, got {JsonText.Kind(reader.TokenType)}");
        }

        ReadOnlySpan<int> extents = inputs.Dimensions(ordinal);
        int elements = inputs.Elements(ordinal), count = 0, depth = 1;
        bool nested = false;
        Span<int> lengths = stackalloc int[RequestLimits.MaxRank + 2];    // of the arrays that are open, by depth
        lengths.Clear();
        while (depth > 0)
        {
            _ = reader.Read();
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray:
                    if (depth >= extents.Length || (count > 0 && !nested))
                    {
                        throw WrongNesting(inputs, ordinal);
                    }

                    nested = true;
                    lengths[++depth] = 0;
                    break;
                case JsonTokenType.EndArray:
                    if (nested && lengths[depth] != extents[depth - 1])
                    {
                        throw Wrong(
                            inputs, ordinal, $"expected arrays of {extents[depth - 1]} at depth {depth} of 'data' (shape " +
                            $"{Show.Shape(extents)}), got one of {lengths[depth]}");
                    }

                    lengths[--depth]++;
                    break;
                case JsonTokenType.StartObject:
                    throw Wrong(
                        inputs, ordinal, $"element {count}: expected {sink.Expected(inputs.Tensor(ordinal))}, got an object");
                default:
                    if (nested && depth != extents.Length)
                    {
                        throw WrongNesting(inputs, ordinal);
                    }

                    if (count == elements)
                    {
                        throw Wrong(inputs, ordinal, $"expected {elements} elements (shape {Show.Shape(extents)}), got more");
                    }

                    if (!sink.TryAdd(ref reader, count))
                    {
                        throw Wrong(inputs, ordinal,
                            $"element {count}: expected {sink.Expected(inputs.Tensor(ordinal))}, got {Given(ref reader)}");
                    }

                    count++;
                    lengths[depth]++;
                    break;
            }
        }

        if (count != elements)
        {
            throw Wrong(inputs, ordinal, $"expected {elements} elements (shape {Show.Shape(extents)}), got {count}");
        }
    }

    private static string Given(ref Utf8JsonReader reader)
    {
        Span<byte> stack = stackalloc byte[StackBytes];
        return reader.TokenType is JsonTokenType.Number or JsonTokenType.String
            ? $"{JsonText.Kind(reader.TokenType)} {Show.Name(reader.HasValueSequence ? Join(reader.ValueSequence, stack) : reader.ValueSpan)}"
            : reader.TokenType == JsonTokenType.Null ? "null" : reader.TokenType == JsonTokenType.True ? "true" : "false";
    }

    private static InferenceException Wrong(RequestInputs inputs, int ordinal, string message) =>
        JsonText.Invalid($"input {Show.Name(inputs.Tensor(ordinal).Name)}: {message}");

    private static InferenceException WrongNesting(RequestInputs inputs, int ordinal) =>
        Wrong(inputs, ordinal, $"expected 'data' to be flat or nested as its shape {Show.Shape(inputs.Dimensions(ordinal))} is");

    /// <summary>The token's bytes; those of one that lies in two buffers are copied together.</summary>
    private static ReadOnlySpan<byte> Join(in ReadOnlySequence<byte> parts, Span<byte> stack)
    {
        if (parts.Length > stack.Length)
        {
            return parts.ToArray();
        }

        parts.CopyTo(stack);
        return stack[..(int)parts.Length];
    }

    private interface ISink
    {
        bool TryAdd(ref Utf8JsonReader reader, int index);

        string Expected(ModelTensor tensor);
    }

    private readonly ref struct NumberSink<T, TParser>(Span<T> elements) : ISink
        where T : unmanaged
        where TParser : IParser<T>
    {
        private readonly Span<T> _elements = elements;

        public bool TryAdd(ref Utf8JsonReader reader, int index)
        {
            Span<byte> stack = stackalloc byte[StackBytes];
            ReadOnlySpan<byte> text = reader.HasValueSequence ? Join(reader.ValueSequence, stack) : reader.ValueSpan;
            return TParser.TryParse(reader.TokenType, text, out _elements[index]);
        }

        public string Expected(ModelTensor tensor) => $"{TParser.Expected} for {TensorDataTypes.Name(tensor.DataType)}";
    }

    private readonly struct TextSink(ArrayBufferWriter<byte> writer) : ISink
    {
        public bool TryAdd(ref Utf8JsonReader reader, int index)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                return false;
            }

            int most = checked((int)(reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length));
            Span<byte> memory = writer.GetSpan(sizeof(uint) + most);
            int length = JsonText.CopyTo(ref reader, memory[sizeof(uint)..], "an element of BYTES");
            BinaryPrimitives.WriteInt32LittleEndian(memory, length);
            writer.Advance(sizeof(uint) + length);
            return true;
        }

        public string Expected(ModelTensor tensor) => "a string, as BYTES have";
    }

    private interface IParser<T>
    {
        static abstract string Expected { get; }

        static abstract bool TryParse(JsonTokenType token, ReadOnlySpan<byte> text, out T value);
    }

    private readonly struct BoolParser : IParser<byte>
    {
        public static string Expected => "true, false, 0 or 1";

        public static bool TryParse(JsonTokenType token, ReadOnlySpan<byte> text, out byte value)
        {
            value = token == JsonTokenType.True || (token == JsonTokenType.Number && text is [(byte)'1']) ? (byte)1 : (byte)0;
            return value == 1 || token == JsonTokenType.False || (token == JsonTokenType.Number && text is [(byte)'0']);
        }
    }

    private readonly struct IntegerParser<T> : IParser<T>
        where T : IBinaryInteger<T>, IMinMaxValue<T>
    {
        public static string Expected =>
            string.Create(CultureInfo.InvariantCulture, $"a whole number in {T.MinValue}..{T.MaxValue}");

        public static bool TryParse(JsonTokenType token, ReadOnlySpan<byte> text, out T value)
        {
            value = T.Zero;
            return token == JsonTokenType.Number &&
                T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value!);
        }
    }

    /// <summary>A finite number too large for the type is refused and not taken for an infinity.</summary>
    private readonly struct FloatParser<T> : IParser<T>
        where T : IFloatingPointIeee754<T>
    {
        public static string Expected => "a finite number in range (or \"NaN\", \"Infinity\", \"-Infinity\")";

        public static bool TryParse(JsonTokenType token, ReadOnlySpan<byte> text, out T value)
        {
            if (token == JsonTokenType.String)
            {
                value = text.SequenceEqual("NaN"u8) ? T.NaN
                    : text.SequenceEqual("Infinity"u8) ? T.PositiveInfinity
                    : text.SequenceEqual("-Infinity"u8) ? T.NegativeInfinity
                    : T.Zero;
                return value != T.Zero;
            }

            value = T.Zero;
            return token == JsonTokenType.Number &&
                T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value!) &&
                T.IsFinite(value);
        }
    }

    private readonly struct BFloat16Parser : IParser<ushort>
    {
        public static string Expected => FloatParser<float>.Expected;

        public static bool TryParse(JsonTokenType token, ReadOnlySpan<byte> text, out ushort value)
        {
            bool parsed = FloatParser<float>.TryParse(token, text, out float number);
            value = Round(number);
            return parsed && (token == JsonTokenType.String || (value & 0x7F80) != 0x7F80);
        }

        /// <summary>To nearest, ties to even; NaN stays NaN.</summary>
        private static ushort Round(float number)
        {
            uint bits = BitConverter.SingleToUInt32Bits(number);
            return float.IsNaN(number) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }
    }
}
