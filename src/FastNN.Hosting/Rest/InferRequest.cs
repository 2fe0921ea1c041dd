using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FastNN.Hosting.Protocol;

namespace FastNN.Hosting.Rest;

/// <summary>
/// An inference request as it was read: its inputs are in the call's memory, the rest is here. Reused from request to request, so
/// that nothing is allocated once it has met the largest. Not thread-safe.
/// </summary>
internal sealed class InferRequest
{
    private const int MaxKeptBytes = 1 << 20;

    /// <summary>The longest JSON that is compared with the next request's. Most have some hundred bytes.</summary>
    private const int MaxKeptHeader = 1024;

    private readonly long[] _shape = new long[RequestLimits.MaxRank];
    private byte[] _name = new byte[64];
    private byte[] _type = new byte[16];
    private byte[] _parameter = new byte[64];
    private byte[] _id = new byte[64];
    private int _idLength;
    private long[] _binarySizes = new long[4];
    private bool _hasInputs, _hasOutputs;
    private ArrayBufferWriter<byte> _scratch = new();
    private readonly byte[] _header = new byte[MaxKeptHeader];
    private Kept _kept;

    /// <summary>The inputs.</summary>
    public RequestInputs Inputs { get; } = new();

    /// <summary>The outputs that are asked for.</summary>
    public RequestOutputs Outputs { get; } = new();

    /// <summary>The body.</summary>
    public RequestBody Body { get; } = new();

    /// <summary>Bytes that the answer collects.</summary>
    public ArrayBufferWriter<byte> Scratch => _scratch;

    /// <summary>Whether the request has an id.</summary>
    public bool HasId { get; private set; }

    /// <summary>The id, which the answer repeats.</summary>
    public ReadOnlySpan<byte> Id => _id.AsSpan(0, _idLength);

    /// <summary>The call's priority.</summary>
    public int Priority { get; private set; }

    /// <summary>The request's own time-out in microseconds; 0 for none.</summary>
    public long TimeoutMicroseconds { get; private set; }

    /// <summary>Whether outputs follow as bytes where they do not say it themselves.</summary>
    public bool BinaryOutputs { get; private set; }

    /// <summary>
    /// The number of what was read. It stays where the JSON is that of the request before, to the byte and to the same model:
    /// then all but the elements is the same.
    /// </summary>
    public long Number { get; private set; }

    /// <summary>Gives back what the request held, and gets ready for the next.</summary>
    public void Clear()
    {
        Body.Release();
        Inputs.Clear();
        Outputs.Clear();
        HasId = _hasInputs = _hasOutputs = BinaryOutputs = false;
        _idLength = 0;
        Priority = 0;
        TimeoutMicroseconds = 0;
        if (_scratch.Capacity > MaxKeptBytes)
        {
            _scratch = new();
        }
    }

    /// <summary>Reads the body into a call.</summary>
    /// <param name="model">The model.</param>
    /// <param name="call">Its call.</param>
    /// <param name="headerLength">Value of Inference-Header-Content-Length; null where there is none, and all is JSON.</param>
    /// <param name="maxTensorBytes">The most bytes of an input.</param>
    public void Read(IModel model, ModelCall call, string? headerLength, long maxTensorBytes)
    {
        ReadOnlySequence<byte> body = Body.Bytes;
        long jsonLength = headerLength is null ? body.Length : HeaderLength(headerLength, body.Length);
        if (Repeats(model, maxTensorBytes, body.FirstSpan, jsonLength))
        {
            ReadBinary(body.Slice(jsonLength), call);
            return;
        }

        _kept = default;
        Number++;
        Inputs.Reset(model, maxTensorBytes);
        Outputs.Reset(model);
        if (headerLength is not null && jsonLength == 0)
        {
            ReadRaw(model, call, body);
            return;
        }

        if (jsonLength == 0)
        {
            throw JsonText.Invalid("the request has no body; expected a JSON object with 'inputs'");
        }

        try
        {
            ReadJson(body.Slice(0, jsonLength), call);
        }
        catch (JsonException wrong)
        {
            throw JsonText.NotJson(wrong);
        }

        if (!_hasInputs)
        {
            throw JsonText.Invalid("the request has no 'inputs'; expected an array of them");
        }

        Inputs.RequireAll();
        Keep(maxTensorBytes, body.FirstSpan, jsonLength);
        ReadBinary(body.Slice(jsonLength), call);
    }

    /// <summary>
    /// A client sends the same JSON over and over before elements that differ. Where it is the one that was read last, what was
    /// read and checked then stands.
    /// </summary>
    private bool Repeats(IModel model, long maxTensorBytes, ReadOnlySpan<byte> body, long jsonLength)
    {
        if (jsonLength == 0 || jsonLength != _kept.Length || jsonLength > body.Length || maxTensorBytes != _kept.MaxTensorBytes
            || model.Inputs != _kept.InputTensors || model.Outputs != _kept.OutputTensors
            || !body[..(int)jsonLength].SequenceEqual(_header.AsSpan(0, _kept.Length)))
        {
            return false;
        }

        Inputs.Repeat(model, _kept.InputTensors, _kept.Inputs);
        Outputs.Repeat(model, _kept.OutputTensors, _kept.Outputs);
        (HasId, _idLength) = (_kept.HasId, _kept.IdLength);
        (Priority, TimeoutMicroseconds, BinaryOutputs) = (_kept.Priority, _kept.TimeoutMicroseconds, _kept.BinaryOutputs);
        return true;
    }

    /// <summary>Remembers what the JSON said, unless it has elements itself.</summary>
    private void Keep(long maxTensorBytes, ReadOnlySpan<byte> body, long jsonLength)
    {
        if (jsonLength > MaxKeptHeader || jsonLength > body.Length || _binarySizes.AsSpan(0, Inputs.Count).Contains(-1))
        {
            return;
        }

        body[..(int)jsonLength].CopyTo(_header);
        _kept = new Kept
        {
            Length = (int)jsonLength,
            MaxTensorBytes = maxTensorBytes,
            InputTensors = Inputs.Tensors,
            OutputTensors = Outputs.Tensors,
            Inputs = Inputs.Count,
            Outputs = Outputs.Count,
            HasId = HasId,
            IdLength = _idLength,
            Priority = Priority,
            TimeoutMicroseconds = TimeoutMicroseconds,
            BinaryOutputs = BinaryOutputs,
        };
    }

    private static long HeaderLength(string text, long bodyLength)
    {
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long length) || length > bodyLength)
        {
            throw JsonText.Invalid(
                $"header Inference-Header-Content-Length: expected a number of bytes from 0 to the body's {bodyLength}, got " +
                Show.Name(text));
        }

        return length;
    }

    private void ReadJson(in ReadOnlySequence<byte> json, ModelCall call)
    {
        var reader = new Utf8JsonReader(json);
        _ = reader.Read();
        JsonText.Require(ref reader, JsonTokenType.StartObject, "the request");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.Is(ref reader, "inputs"u8))
            {
                RequireFirst(ref _hasInputs, "inputs");
                JsonText.ReadValue(ref reader, JsonTokenType.StartArray, "'inputs'");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    ReadInput(ref reader, call, json.Length);
                }
            }
            else if (JsonText.Is(ref reader, "outputs"u8))
            {
                RequireFirst(ref _hasOutputs, "outputs");
                JsonText.ReadValue(ref reader, JsonTokenType.StartArray, "'outputs'");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    ReadOutput(ref reader);
                }
            }
            else if (JsonText.Is(ref reader, "id"u8))
            {
                JsonText.ReadValue(ref reader, JsonTokenType.String, "'id'");
                _idLength = JsonText.Copy(ref reader, ref _id, "'id'", RequestLimits.MaxIdBytes);
                HasId = true;
            }
            else if (JsonText.Is(ref reader, "parameters"u8))
            {
                ReadParameters(ref reader);
            }
            else
            {
                // model_name and what else clients add; what the address says holds.
                reader.Skip();
            }
        }

        // Reads to the end, so that anything behind the object is found.
        while (reader.Read())
        {
        }
    }

    private static void RequireFirst(ref bool seen, string what)
    {
        if (seen)
        {
            throw JsonText.Invalid($"'{what}' is given twice: give it once");
        }

        seen = true;
    }

    private void ReadParameters(ref Utf8JsonReader reader)
    {
        JsonText.ReadValue(ref reader, JsonTokenType.StartObject, "'parameters'");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.Is(ref reader, "priority"u8))
            {
                Priority = RequestParameters.Priority(JsonText.ReadInteger(ref reader, "parameter 'priority'"));
            }
            else if (JsonText.Is(ref reader, "timeout"u8))
            {
                TimeoutMicroseconds = JsonText.ReadInteger(ref reader, "parameter 'timeout'");
            }
            else if (JsonText.Is(ref reader, "binary_data_output"u8))
            {
                BinaryOutputs = JsonText.ReadBoolean(ref reader, "parameter 'binary_data_output'");
            }
            else
            {
                SkipParameter(ref reader);
            }
        }
    }

    /// <summary>Parameters of an application's own are allowed, and mean nothing here.</summary>
    private void SkipParameter(ref Utf8JsonReader reader)
    {
        int length = JsonText.Copy(ref reader, ref _parameter, "the name of a parameter");
        RequestParameters.RefuseUnsupported(_parameter.AsSpan(0, length));
        reader.Skip();
    }

    private void ReadInput(ref Utf8JsonReader reader, ModelCall call, long jsonBytes)
    {
        JsonText.Require(ref reader, JsonTokenType.StartObject, "an element of 'inputs'");
        int nameLength = -1, typeLength = -1, rank = -1, ordinal = -1;
        long binarySize = -1;
        bool hasData = false;
        Utf8JsonReader data = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.Is(ref reader, "name"u8) && nameLength < 0)
            {
                JsonText.ReadValue(ref reader, JsonTokenType.String, "'name' of an input");
                nameLength = JsonText.Copy(ref reader, ref _name, "'name' of an input");
            }
            else if (JsonText.Is(ref reader, "datatype"u8) && typeLength < 0)
            {
                JsonText.ReadValue(ref reader, JsonTokenType.String, "'datatype' of an input");
                typeLength = JsonText.Copy(ref reader, ref _type, "'datatype' of an input");
            }
            else if (JsonText.Is(ref reader, "shape"u8) && rank < 0)
            {
                rank = ReadShape(ref reader);
            }
            else if (JsonText.Is(ref reader, "parameters"u8) && binarySize < 0)
            {
                binarySize = ReadInputParameters(ref reader);
            }
            else if (JsonText.Is(ref reader, "data"u8) && !hasData)
            {
                hasData = true;
                if (nameLength >= 0 && typeLength >= 0 && rank >= 0)
                {
                    ordinal = Inputs.Add(_name.AsSpan(0, nameLength), _type.AsSpan(0, typeLength), _shape.AsSpan(0, rank));
                    JsonTensorReader.Read(ref reader, Inputs, ordinal, call, _scratch, jsonBytes);
                }
                else
                {
                    // What is needed to read the elements comes behind them: come back to them.
                    data = reader;
                    reader.Skip();
                }
            }
            else
            {
                RefuseRepeated(ref reader);
                reader.Skip();
            }
        }

        RequireProperties(nameLength, typeLength, rank);
        if (ordinal < 0)
        {
            ordinal = Inputs.Add(_name.AsSpan(0, nameLength), _type.AsSpan(0, typeLength), _shape.AsSpan(0, rank));
            if (hasData)
            {
                JsonTensorReader.Read(ref data, Inputs, ordinal, call, _scratch, jsonBytes);
            }
        }

        if (hasData == binarySize >= 0)
        {
            throw JsonText.Invalid(
                $"input {Show.Name(_name.AsSpan(0, nameLength))}: expected either 'data' or the parameter 'binary_data_size', got " +
                (hasData ? "both" : "neither"));
        }

        if (ordinal >= _binarySizes.Length)
        {
            Array.Resize(ref _binarySizes, 2 * _binarySizes.Length);
        }

        _binarySizes[ordinal] = binarySize;
    }

    private void RequireProperties(int nameLength, int typeLength, int rank)
    {
        string? missing = nameLength < 0 ? "name" : typeLength < 0 ? "datatype" : rank < 0 ? "shape" : null;
        if (missing is not null)
        {
            string input = nameLength < 0 ? "an input" : $"input {Show.Name(_name.AsSpan(0, nameLength))}";
            throw JsonText.Invalid($"{input} has no '{missing}'; expected 'name', 'datatype', 'shape' and 'data'");
        }
    }

    private static void RefuseRepeated(ref Utf8JsonReader reader)
    {
        if (JsonText.Is(ref reader, "name"u8) || JsonText.Is(ref reader, "datatype"u8) || JsonText.Is(ref reader, "shape"u8) ||
            JsonText.Is(ref reader, "data"u8) || JsonText.Is(ref reader, "parameters"u8))
        {
            throw JsonText.Invalid($"'{reader.GetString()}' of an input is given twice: give it once");
        }
    }

    private int ReadShape(ref Utf8JsonReader reader)
    {
        JsonText.ReadValue(ref reader, JsonTokenType.StartArray, "'shape' of an input");
        int rank = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            JsonText.Require(ref reader, JsonTokenType.Number, "an extent of 'shape'");
            if (rank == _shape.Length || !reader.TryGetInt64(out _shape[rank]) || _shape[rank] < 0)
            {
                throw JsonText.Invalid($"'shape' of an input: expected at most {_shape.Length} whole numbers from 0");
            }

            rank++;
        }

        return rank;
    }

    private long ReadInputParameters(ref Utf8JsonReader reader)
    {
        JsonText.ReadValue(ref reader, JsonTokenType.StartObject, "'parameters' of an input");
        long size = -1;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.Is(ref reader, "binary_data_size"u8))
            {
                size = JsonText.ReadInteger(ref reader, "parameter 'binary_data_size'");
                if (size < 0)
                {
                    throw JsonText.Invalid($"parameter 'binary_data_size': expected a number of bytes, got {size}");
                }
            }
            else
            {
                SkipParameter(ref reader);
            }
        }

        return size;
    }

    private void ReadOutput(ref Utf8JsonReader reader)
    {
        JsonText.Require(ref reader, JsonTokenType.StartObject, "an element of 'outputs'");
        int ordinal = -1;
        long classes = -1;
        bool? binary = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.Is(ref reader, "name"u8) && ordinal < 0)
            {
                JsonText.ReadValue(ref reader, JsonTokenType.String, "'name' of an output");
                int length = JsonText.Copy(ref reader, ref _name, "'name' of an output");
                ordinal = Outputs.Add(_name.AsSpan(0, length));
            }
            else if (JsonText.Is(ref reader, "parameters"u8))
            {
                ReadOutputParameters(ref reader, ref classes, ref binary);
            }
            else
            {
                reader.Skip();
            }
        }

        if (ordinal < 0)
        {
            throw JsonText.Invalid("an output has no 'name'; expected objects with the names of outputs");
        }

        Outputs[ordinal].Binary = binary;
        if (classes != -1)
        {
            Outputs.SetClasses(ordinal, classes);
        }
    }

    private void ReadOutputParameters(ref Utf8JsonReader reader, ref long classes, ref bool? binary)
    {
        JsonText.ReadValue(ref reader, JsonTokenType.StartObject, "'parameters' of an output");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.Is(ref reader, "classification"u8))
            {
                classes = JsonText.ReadInteger(ref reader, "parameter 'classification'");
                if (classes < 0)
                {
                    throw JsonText.Invalid($"parameter 'classification': expected a number of classes from 0, got {classes}");
                }
            }
            else if (JsonText.Is(ref reader, "binary_data"u8))
            {
                binary = JsonText.ReadBoolean(ref reader, "parameter 'binary_data'");
            }
            else
            {
                SkipParameter(ref reader);
            }
        }
    }

    /// <summary>The tensors behind the JSON, in the order of the inputs that announce them.</summary>
    private void ReadBinary(ReadOnlySequence<byte> rest, ModelCall call)
    {
        for (int i = 0; i < Inputs.Count; i++)
        {
            long size = _binarySizes[i];
            if (size < 0)
            {
                continue;
            }

            if (size > rest.Length)
            {
                throw JsonText.Invalid(
                    $"input {Show.Name(Inputs.Tensor(i).Name)}: 'binary_data_size' is {size}, and only {rest.Length} bytes " +
                    "are left behind the JSON; does Inference-Header-Content-Length say where that ends?");
            }

            Inputs.SetRaw(call, i, rest.Slice(0, size));
            rest = rest.Slice(size);
        }

        if (rest.Length != 0)
        {
            throw JsonText.Invalid($"{rest.Length} bytes are left behind the binary data of the inputs; expected none");
        }
    }

    /// <summary>
    /// A body that is an only input's elements: at most one extent is open, and follows from the number of bytes.
    /// </summary>
    private void ReadRaw(IModel model, ModelCall call, in ReadOnlySequence<byte> body)
    {
        if (model.Inputs.Count != 1)
        {
            throw JsonText.Invalid(
                $"a body without JSON needs a model of one input, and {Show.Name(model.Name)} has {model.Inputs.Count}; " +
                "name them in JSON, and its length in Inference-Header-Content-Length");
        }

        ModelTensor tensor = model.Inputs[0];
        int open = -1, rank = tensor.Dimensions.Count, size = TensorDataTypes.Size(tensor.DataType);
        long known = size;
        bool fits = rank <= _shape.Length && size > 0;
        for (int i = 0; fits && i < rank; i++)
        {
            _shape[i] = tensor.Dimensions[i];
            known *= Math.Max(_shape[i], 1);
            fits = (_shape[i] >= 0 || open < 0) && known is > 0 and <= int.MaxValue;
            open = _shape[i] < 0 ? i : open;
        }

        if (!fits)
        {
            throw JsonText.Invalid(
                $"a body without JSON needs an input of numbers with one open extent, and {Show.Name(tensor.Name)} is " +
                $"{TensorDataTypes.Name(tensor.DataType)} {Show.Shape(tensor.Dimensions)}; give its shape in JSON");
        }

        if (open >= 0)
        {
            if (body.Length % known != 0)
            {
                throw JsonText.Invalid($"input {Show.Name(tensor.Name)}: expected a multiple of {known} bytes (shape " +
                    $"{Show.Shape(tensor.Dimensions)} of {TensorDataTypes.Name(tensor.DataType)}), got {body.Length}");
            }

            _shape[open] = body.Length / known;
        }

        int ordinal = Inputs.Add(TensorNames.Of(model.Inputs)[0], TensorDataTypes.Utf8(tensor.DataType), _shape.AsSpan(0, rank));
        Inputs.SetRaw(call, ordinal, body);
        BinaryOutputs = true;
    }

    /// <summary>What the JSON said that was read last.</summary>
    private struct Kept
    {
        public int Length;
        public long MaxTensorBytes;
        public IReadOnlyList<ModelTensor> InputTensors;
        public IReadOnlyList<ModelTensor> OutputTensors;
        public int Inputs;
        public int Outputs;
        public bool HasId;
        public int IdLength;
        public int Priority;
        public long TimeoutMicroseconds;
        public bool BinaryOutputs;
    }
}
