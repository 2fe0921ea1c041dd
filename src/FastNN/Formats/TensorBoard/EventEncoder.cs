using System.Buffers;
using System.Runtime.InteropServices;

namespace FastNN.Formats;

/// <summary>
/// Writes the messages of TensorBoard's event files (tensorboard/compat/proto of that project: event, summary, histogram,
/// tensor), field by field in the order of their numbers, as code that is generated from them does. Scalars, histograms and
/// images are in the fields of their own that summaries have had from the beginning: TensorFlow's and PyTorch's readers take them
/// as well as TensorBoard, which turns them into tensors when it loads a file, while tensors are missing from what its event
/// accumulator lists as scalars. Text and hyperparameters have tensors with the metadata of their plugins, which is the only form
/// that there is.
/// </summary>
internal sealed class EventEncoder
{
    private const int Start = 1;

    private readonly WireWriter _writer = new();
    private readonly HistogramBuckets _buckets = new();

    /// <summary>The version of the format, which a file begins with.</summary>
    public ReadOnlySpan<byte> Version(double wallTime)
    {
        _writer.Clear();
        _writer.Double(1, wallTime);
        _writer.Text(3, "brain.Event:2");
        return _writer.Written.Span;
    }

    /// <summary>An event as a record; the memory is that of the next one.</summary>
    public ReadOnlySpan<byte> Encode(in PendingEvent pending)
    {
        _writer.Clear();
        _writer.Double(1, pending.WallTime);
        if (pending.Step != 0)
        {
            _writer.Int64(2, pending.Step);
        }

        switch (pending.Kind)
        {
            case EventKind.Graph:
                _writer.Bytes(4, (byte[])pending.Content!);
                break;
            case EventKind.SessionStart:
                int session = _writer.Begin(7);
                _writer.Int64(1, Start);
                _writer.End(session);
                break;
            default:
                int summary = _writer.Begin(5);
                if (pending.Kind == EventKind.Value)
                {
                    _writer.Bytes(1, (byte[])pending.Content!);
                }
                else
                {
                    int value = _writer.Begin(1);
                    _writer.Element(1, pending.Tag);
                    Write(pending);
                    _writer.End(value);
                }

                _writer.End(summary);
                break;
        }

        return _writer.Written.Span;
    }

    /// <summary>A value of a summary whose tensor is one text.</summary>
    public static byte[] Text(string tag, string text)
    {
        const int TypeString = 7;
        var writer = new WireWriter();
        writer.Element(1, tag);
        int tensor = writer.Begin(8);
        writer.Int64(1, TypeString);

        // A shape without axes: that of one text.
        writer.Bytes(2, []);
        writer.Element(8, text);
        writer.End(tensor);
        Plugin(writer, "text", []);
        return writer.Written.ToArray();
    }

    /// <summary>The metadata of a value that says which plugin it is for.</summary>
    public static void Plugin(WireWriter writer, string name, ReadOnlySpan<byte> content)
    {
        int metadata = writer.Begin(9), plugin = writer.Begin(1);
        writer.Element(1, name);
        if (!content.IsEmpty)
        {
            writer.Bytes(2, content);
        }

        writer.End(plugin);
        writer.End(metadata);
    }

    private void Write(in PendingEvent pending)
    {
        switch (pending.Content)
        {
            case float[] values:
                _buckets.Take(values.AsSpan(0, pending.Length));
                ArrayPool<float>.Shared.Return(values);
                WriteHistogram();
                break;
            case PixelBlock image:
                WriteImage(
                    image.Height, image.Width, image.Channels,
                    PngWriter.Encode(image.Pixels, image.Width, image.Height, image.Channels));
                break;
            case byte[] file:
                (int width, int height, int channels) = PngWriter.SizeOf(file);
                WriteImage(height, width, channels, file);
                break;
            default:
                _writer.Single(2, pending.Scalar);
                break;
        }
    }

    private void WriteImage(int height, int width, int channels, byte[] file)
    {
        int start = _writer.Begin(4);
        _writer.Int64(1, height);
        _writer.Int64(2, width);
        _writer.Int64(3, channels);
        _writer.Bytes(4, file);
        _writer.End(start);
    }

    private void WriteHistogram()
    {
        int start = _writer.Begin(5);
        WriteUnlessZero(1, _buckets.Min);
        WriteUnlessZero(2, _buckets.Max);
        WriteUnlessZero(3, _buckets.Count);
        WriteUnlessZero(4, _buckets.Sum);
        WriteUnlessZero(5, _buckets.SumOfSquares);
        _writer.Packed(6, CollectionsMarshal.AsSpan(_buckets.UpperLimits));
        _writer.Packed(7, CollectionsMarshal.AsSpan(_buckets.Counts));
        _writer.End(start);
    }

    /// <summary>As protobuf's own writers do: a field that is left out is 0, and -0 is not.</summary>
    private void WriteUnlessZero(int field, double value)
    {
        if (BitConverter.DoubleToInt64Bits(value) != 0)
        {
            _writer.Double(field, value);
        }
    }
}
