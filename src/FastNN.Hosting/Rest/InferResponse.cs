using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FastNN.Hosting.Protocol;
using Microsoft.AspNetCore.Http;

namespace FastNN.Hosting.Rest;

/// <summary>
/// Writes an inference's answer from the call's memory into the response: JSON, and behind it the outputs that were asked for as
/// bytes. Reused; not thread-safe.
/// </summary>
internal sealed class InferResponse : IDisposable
{
    /// <summary>How much is written before the client's reading is waited for.</summary>
    private const int FlushBytes = 64 << 10;

    private const int ElementsAtOnce = 4096;

    // The numbers of bytes that a header tells are mostly small and mostly the same.
    private static readonly string?[] _lengths = new string?[4096];

    // Where the writer points between two answers; nothing is written there.
    private static readonly ArrayBufferWriter<byte> _nowhere = new();

    private readonly Utf8JsonWriter _json = new(_nowhere, new JsonWriterOptions { SkipValidation = true });
    private readonly ArrayBufferWriter<byte> _head = new();
    private Section[] _sections = new Section[4];
    private int[] _extents = new int[16];
    private string? _version;
    private long _number;

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    /// <summary>Writes the answer.</summary>
    /// <exception cref="InferenceException">An output cannot be told as the request wants it; nothing is written
    /// then.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(HttpContext http, InferRequest request, IModel model, ModelCall call)
    {
        RequestOutputs outputs = request.Outputs;
        outputs.AddAllIfNone();
        long binaryBytes = Plan(request, call, out bool binary, out bool allBinary);
        PipeWriter writer = http.Response.BodyWriter;
        http.Response.ContentType = binary ? "application/octet-stream" : "application/json";
        try
        {
            // Where all elements are behind it, the JSON of the answer before is this one's, too, if nothing of it has changed.
            if (!allBinary || !IsAsBefore(request, call))
            {
                _head.ResetWrittenCount();
                _json.Reset(allBinary ? _head : writer);
                WriteHead(request, model, call);
                for (int i = 0; i < outputs.Count; i++)
                {
                    WriteOutputHead(request, call, i);
                    if (!_sections[i].Binary)
                    {
                        _json.WriteStartArray("data"u8);
                        await WriteElementsAsync(writer, request, call, i, canFlush: !binary, http.RequestAborted);
                        _json.WriteEndArray();
                    }

                    _json.WriteEndObject();
                }

                _json.WriteEndArray();
                _json.WriteEndObject();
                _json.Flush();
                (_version, _number) = (allBinary ? call.Version : null, request.Number);
            }

            long jsonBytes = allBinary ? _head.WrittenCount : _json.BytesCommitted;
            writer.Write(_head.WrittenSpan);
            if (!http.Response.HasStarted)
            {
                http.Response.ContentLength = jsonBytes + binaryBytes;
            }

            if (binary)
            {
                http.Response.Headers["Inference-Header-Content-Length"] = Text(jsonBytes);
                for (int i = 0; i < outputs.Count; i++)
                {
                    if (_sections[i].Binary)
                    {
                        await WriteBytesAsync(writer, request, call, i, http.RequestAborted);
                    }
                }
            }

            _ = await writer.FlushAsync(http.RequestAborted);
        }
        finally
        {
            // Lets go of the response, which the server uses again.
            _json.Reset(_nowhere);
        }
    }

    /// <summary>
    /// Whether the JSON that was written last is this answer's: of the same request, version and shapes. Where it is not, it is
    /// forgotten, and the shapes are remembered.
    /// </summary>
    private bool IsAsBefore(InferRequest request, ModelCall call)
    {
        bool isSame = request.Number == _number && call.Version == _version;
        int at = 0;
        for (int i = 0; i < request.Outputs.Count; i++)
        {
            ReadOnlySpan<int> dimensions = call.OutputDimensions(request.Outputs[i].Index);
            if (_extents.Length < at + dimensions.Length + 2)
            {
                Array.Resize(ref _extents, 2 * (at + dimensions.Length + 2));
            }

            // The bytes of texts and of classes do not follow from the shape.
            Span<int> before = _extents.AsSpan(at, dimensions.Length + 2);
            isSame &= before[0] == dimensions.Length && before[1] == _sections[i].Bytes && before[2..].SequenceEqual(dimensions);
            (before[0], before[1]) = (dimensions.Length, _sections[i].Bytes);
            dimensions.CopyTo(before[2..]);
            at += before.Length;
        }

        _version = isSame ? _version : null;
        return isSame;
    }

    private static string Text(long length)
    {
        if (length >= _lengths.Length)
        {
            return length.ToString(CultureInfo.InvariantCulture);
        }

        return _lengths[length] ??= length.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Settles how each output is told; classes are found here, because their length stands before them.</summary>
    private long Plan(InferRequest request, ModelCall call, out bool binary, out bool allBinary)
    {
        RequestOutputs outputs = request.Outputs;
        if (_sections.Length < outputs.Count)
        {
            _sections = new Section[outputs.Count];
        }

        long total = 0;
        (binary, allBinary) = (false, outputs.Count > 0);
        ArrayBufferWriter<byte> scratch = request.Scratch;
        scratch.ResetWrittenCount();
        for (int i = 0; i < outputs.Count; i++)
        {
            ref RequestOutput output = ref outputs[i];
            ModelTensor tensor = outputs.Tensor(i);
            ReadOnlySpan<byte> elements = call.Output(output.Index);
            ref Section section = ref _sections[i];
            section =
                new Section { Binary = output.Binary ?? request.BinaryOutputs, Bytes = elements.Length, Type = tensor.DataType };
            if (output.Classes > 0)
            {
                ReadOnlySpan<int> dimensions = call.OutputDimensions(output.Index);
                section.Start = scratch.WrittenCount;
                Classification.Write(tensor, dimensions, elements, output.Classes, scratch);
                section.Bytes = scratch.WrittenCount - section.Start;
                section.Type = TensorDataType.Bytes;
                (section.Rows, section.Classes) =
                    Classification.Extents(dimensions, elements.Length / TensorDataTypes.Size(tensor.DataType), output.Classes);
            }
            else if (tensor.DataType == TensorDataType.Bytes && !section.Binary && !JsonTensorWriter.IsText(elements))
            {
                throw new InferenceException(
                    InferenceFailure.InvalidInput, $"output {Show.Name(tensor.Name)} has bytes that are not UTF-8 text, " +
                    "which JSON cannot hold: ask for it with the parameter 'binary_data'");
            }

            binary |= section.Binary;
            allBinary &= section.Binary;
            total += section.Binary ? section.Bytes : 0;
        }

        return total;
    }

    private void WriteHead(InferRequest request, IModel model, ModelCall call)
    {
        _json.WriteStartObject();
        _json.WriteString("model_name"u8, model.Name);
        _json.WriteString("model_version"u8, call.Version);
        if (request.HasId)
        {
            _json.WriteString("id"u8, request.Id);
        }

        _json.WriteStartArray("outputs"u8);
    }

    private void WriteOutputHead(InferRequest request, ModelCall call, int ordinal)
    {
        ref Section section = ref _sections[ordinal];
        ReadOnlySpan<int> dimensions = call.OutputDimensions(request.Outputs[ordinal].Index);
        _json.WriteStartObject();
        _json.WriteString("name"u8, request.Outputs.Name(ordinal));
        _json.WriteString("datatype"u8, TensorDataTypes.Utf8(section.Type));
        _json.WriteStartArray("shape"u8);
        if (request.Outputs[ordinal].Classes > 0)
        {
            if (dimensions.Length > 1)
            {
                _json.WriteNumberValue(section.Rows);
            }

            _json.WriteNumberValue(section.Classes);
        }
        else
        {
            foreach (int extent in dimensions)
            {
                _json.WriteNumberValue(extent);
            }
        }

        _json.WriteEndArray();
        if (section.Binary)
        {
            _json.WriteStartObject("parameters"u8);
            _json.WriteNumber("binary_data_size"u8, section.Bytes);
            _json.WriteEndObject();
        }
    }

    private ReadOnlySpan<byte> Elements(InferRequest request, ModelCall call, int ordinal)
    {
        ref Section section = ref _sections[ordinal];
        return request.Outputs[ordinal].Classes > 0
            ? request.Scratch.WrittenSpan.Slice(section.Start, section.Bytes)
            : call.Output(request.Outputs[ordinal].Index);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteElementsAsync(
        PipeWriter writer, InferRequest request, ModelCall call, int ordinal, bool canFlush, CancellationToken cancellationToken)
    {
        TensorDataType type = _sections[ordinal].Type;
        int total = _sections[ordinal].Bytes;
        int step = type == TensorDataType.Bytes ? total : ElementsAtOnce * TensorDataTypes.Size(type);
        long flushed = _json.BytesCommitted;
        for (int from = 0; from < total; from += step)
        {
            JsonTensorWriter.Write(_json, type, Elements(request, call, ordinal).Slice(from, Math.Min(step, total - from)));
            if (canFlush && _json.BytesCommitted + _json.BytesPending - flushed > FlushBytes)
            {
                _json.Flush();
                _ = await writer.FlushAsync(cancellationToken);
                flushed = _json.BytesCommitted;
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteBytesAsync(
        PipeWriter writer, InferRequest request, ModelCall call, int ordinal, CancellationToken cancellationToken)
    {
        int total = _sections[ordinal].Bytes;
        for (int from = 0; from < total; from += FlushBytes)
        {
            writer.Write(Elements(request, call, ordinal).Slice(from, Math.Min(FlushBytes, total - from)));
            if (total - from > FlushBytes)
            {
                _ = await writer.FlushAsync(cancellationToken);
            }
        }
    }

    private struct Section
    {
        public bool Binary;
        public TensorDataType Type;
        public int Bytes;
        public int Start;
        public int Rows;
        public int Classes;
    }
}
