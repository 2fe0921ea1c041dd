using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FastNN.Onnx;

namespace FastNN.Hosting;

/// <summary>BYTES elements, each its length as a little-endian uint32 and its bytes, and the texts of ONNX tensors.</summary>
internal static class TextElements
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads all elements of an input.</summary>
    /// <returns>How many there are: as many as its shape says.</returns>
    /// <exception cref="InferenceException">The bytes are others, or no text.</exception>
    public static int Read(CallTensor input, string name, Span<string> texts)
    {
        int count = 1;
        foreach (int extent in input.Dimensions)
        {
            count *= extent;
        }

        ReadOnlySpan<byte> bytes = input.Bytes;
        for (int i = 0; i < count; i++)
        {
            if (bytes.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(bytes) is var length
                && length > (uint)(bytes.Length - sizeof(uint)))
            {
                throw Invalid(
                    name,
                    $"expected {count} elements, each its length in 4 bytes and so many bytes; element {i} ends behind the data");
            }

            try
            {
                texts[i] = Utf8.GetString(bytes.Slice(sizeof(uint), (int)length));
            }
            catch (ArgumentException exception)
            {
                throw Invalid(
                    name, $"expected text in UTF-8, element {i} is none", exception);
            }

            bytes = bytes[(sizeof(uint) + (int)length)..];
        }

        return bytes.IsEmpty
            ? count
            : throw Invalid(name, string.Create(
                CultureInfo.InvariantCulture, $"expected {count} elements, {bytes.Length} bytes are left behind the last"));
    }

    /// <summary>Gives each call its rows of an output.</summary>
    public static void Scatter(ReadOnlySpan<QueuedCall> batch, int output, int rows, OnnxTensor tensor)
    {
        ReadOnlySpan<string> texts = tensor.Array<string>();
        int[] dimensions = tensor.Dimensions.ToArray();
        int textsOfRow = batch.Length > 1 ? texts.Length / rows : 0;
        foreach (QueuedCall call in batch)
        {
            int count = batch.Length > 1 ? call.Rows * textsOfRow : texts.Length;
            if (batch.Length > 1)
            {
                dimensions[0] = call.Rows;
            }

            Write(texts[..count], (ServedCall)call, output, dimensions);
            texts = texts[count..];
        }
    }

    private static void Write(ReadOnlySpan<string> texts, ServedCall call, int output, int[] dimensions)
    {
        int length = 0;
        foreach (string text in texts)
        {
            length = checked(length + sizeof(uint) + Utf8.GetByteCount(text));
        }

        Span<byte> bytes = call.SetOutput(output, dimensions, length);
        foreach (string text in texts)
        {
            int own = Utf8.GetBytes(text, bytes[sizeof(uint)..]);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)own);
            bytes = bytes[(sizeof(uint) + own)..];
        }
    }

    private static InferenceException Invalid(string name, string what, Exception? inner = null) =>
        new(InferenceFailure.InvalidInput, $"Input '{name}': {what}.", inner);
}
