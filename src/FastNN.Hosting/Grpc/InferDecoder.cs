using System.Buffers;
using FastNN.Hosting.Protocol;

namespace FastNN.Hosting;

/// <summary>
/// Decodes a ModelInferRequest into the memory that its model reads: elements are copied once, from where the server received
/// them. Thread-safe; allocates nothing for models and shapes that it has met.
/// </summary>
internal sealed class InferDecoder(IModelCatalog catalog, long maxTensorBytes, ServingTelemetry? telemetry)
{
    /// <summary>Names of inputs, outputs and types that are longer are none of a model's.</summary>
    private const int MaxName = 512;

    private readonly ModelLookup _models = new(catalog);

    /// <summary>
    /// Decodes a message; what was decoded before something is found wrong stays in the call, to be given back with it.
    /// </summary>
    /// <param name="message">The message's bytes.</param>
    /// <param name="call">Takes it up.</param>
    /// <exception cref="InferenceException">The message is damaged, or does not fit a model that is ready.</exception>
    /// <exception cref="RequestTooLargeException">A tensor is above the limit.</exception>
    public void Decode(in ReadOnlySequence<byte> message, InferCall call)
    {
        // Fields may come in any order, and the model decides how inputs are read: so its name is looked for first.
        (int inputs, int raws) = DecodeHead(message, call, out ReadOnlySequence<byte> name, out ReadOnlySequence<byte> version);
        IModel model = Find(name, version);
        call.Model = model;
        if (raws != 0 && raws != inputs)
        {
            throw Invalid($"expected raw_input_contents for each of {inputs} inputs, got {raws}");
        }

        call.Call = model.Begin();
        call.Inputs.Reset(model, maxTensorBytes);
        DecodeInputs(message, call, raws != 0);
        call.Inputs.RequireAll();

        call.Outputs.Reset(model);
        DecodeOutputs(message, call);
        call.Outputs.AddAllIfNone();
    }

    private IModel Find(in ReadOnlySequence<byte> name, in ReadOnlySequence<byte> version)
    {
        try
        {
            return _models.Find(name, version);
        }
        catch (InferenceException refusal)
        {
            telemetry?.CallRefused(refusal.Failure);
            throw;
        }
    }

    private static InferenceException Invalid(string message) => new(InferenceFailure.InvalidInput, message);

    private static (int Inputs, int Raws) DecodeHead(
        in ReadOnlySequence<byte> message, InferCall call, out ReadOnlySequence<byte> name, out ReadOnlySequence<byte> version)
    {
        (name, version) = (default, default);
        (int inputs, int raws) = (0, 0);
        var reader = new WireReader(message);
        while (reader.TryReadTag(out int field, out WireType type))
        {
            switch (field)
            {
                case 1 when type == WireType.Bytes:
                    name = reader.ReadBytes();
                    break;
                case 2 when type == WireType.Bytes:
                    version = reader.ReadBytes();
                    break;
                case 3 when type == WireType.Bytes:
                    call.SetId(reader.ReadBytes());
                    break;
                case 4 when type == WireType.Bytes:
                    SetParameter(ParameterEntry.Read(reader.ReadBytes()), call);
                    break;
                default:
                    inputs += field == 5 && type == WireType.Bytes ? 1 : 0;
                    raws += field == 7 && type == WireType.Bytes ? 1 : 0;
                    reader.Skip(field, type);
                    break;
            }
        }

        return (inputs, raws);
    }

    private static void SetParameter(ParameterEntry parameter, InferCall call)
    {
        Span<byte> scratch = stackalloc byte[MaxName];
        ReadOnlySpan<byte> name = Contiguous(parameter.Name, scratch);
        RequestParameters.RefuseUnsupported(name);
        if (name.SequenceEqual("priority"u8))
        {
            call.Priority = parameter.Integer("priority");
        }
        else if (name.SequenceEqual("timeout"u8))
        {
            call.Timeout = parameter.Integer("timeout");
        }
    }

    private static void DecodeInputs(in ReadOnlySequence<byte> message, InferCall call, bool raw)
    {
        var inputs = new WireReader(message);
        var raws = new WireReader(message);
        while (inputs.TryReadNext(5, out ReadOnlySequence<byte> tensor))
        {
            int ordinal = DecodeInput(tensor, call, raw);
            if (raw)
            {
                _ = raws.TryReadNext(7, out ReadOnlySequence<byte> elements);
                call.Inputs.SetRaw(call.Call!, ordinal, elements);
                continue;
            }

            ModelTensor input = call.Inputs.Tensor(ordinal);
            (long count, long bytes) = TypedContents.Count(tensor, input);
            if (count != call.Inputs.Elements(ordinal))
            {
                throw Invalid($"input {Show.Name(input.Name)}: expected {call.Inputs.Elements(ordinal)} elements (shape " +
                    $"{Show.Shape(call.Inputs.Dimensions(ordinal))}) in its contents or in raw_input_contents, got {count}");
            }

            TypedContents.Fill(tensor, input, call.Inputs.Allocate(call.Call!, ordinal, bytes));
        }
    }

    /// <summary>Decodes and checks what an input says about itself.</summary>
    private static int DecodeInput(in ReadOnlySequence<byte> tensor, InferCall call, bool raw)
    {
        ReadOnlySequence<byte> name = default;
        ReadOnlySequence<byte> dataType = default;
        Span<byte> nameScratch = stackalloc byte[MaxName];
        Span<byte> typeScratch = stackalloc byte[MaxName];
        Span<long> shape = stackalloc long[RequestLimits.MaxRank];
        int rank = 0;
        bool contents = false;
        var reader = new WireReader(tensor);
        while (reader.TryReadTag(out int field, out WireType type))
        {
            switch (field)
            {
                case 1 when type == WireType.Bytes:
                    name = reader.ReadBytes();
                    break;
                case 2 when type == WireType.Bytes:
                    dataType = reader.ReadBytes();
                    break;
                case 3 when type == WireType.Bytes:
                    var packed = new WireReader(reader.ReadBytes());
                    while (!packed.End)
                    {
                        AddExtent(packed.ReadVarint(), shape, ref rank);
                    }

                    break;
                case 3 when type == WireType.Varint:
                    AddExtent(reader.ReadVarint(), shape, ref rank);
                    break;
                case 4 when type == WireType.Bytes:
                    RequestParameters.RefuseUnsupported(Contiguous(ParameterEntry.Read(reader.ReadBytes()).Name, nameScratch));
                    break;
                case 5 when type == WireType.Bytes:
                    contents |= !reader.ReadBytes().IsEmpty;
                    break;
                default:
                    reader.Skip(field, type);
                    break;
            }
        }

        ReadOnlySpan<byte> text = Contiguous(name, nameScratch);
        if (raw && contents)
        {
            throw Invalid(
                $"input {Show.Name(text)}: expected no contents beside raw_input_contents; give its elements in one of them");
        }

        return call.Inputs.Add(text, Contiguous(dataType, typeScratch), shape[..rank]);
    }

    private static void AddExtent(ulong extent, Span<long> shape, ref int rank)
    {
        if (rank == shape.Length)
        {
            throw Invalid($"expected shapes of at most {shape.Length} extents, got more");
        }

        shape[rank++] = (long)extent;
    }

    private static void DecodeOutputs(in ReadOnlySequence<byte> message, InferCall call)
    {
        Span<byte> scratch = stackalloc byte[MaxName];
        var outputs = new WireReader(message);
        while (outputs.TryReadNext(6, out ReadOnlySequence<byte> output))
        {
            var names = new WireReader(output);
            ReadOnlySequence<byte> name = default;
            while (names.TryReadNext(1, out ReadOnlySequence<byte> next))
            {
                name = next;
            }

            int ordinal = call.Outputs.Add(Contiguous(name, scratch));
            var parameters = new WireReader(output);
            while (parameters.TryReadNext(2, out ReadOnlySequence<byte> entry))
            {
                ParameterEntry parameter = ParameterEntry.Read(entry);
                ReadOnlySpan<byte> key = Contiguous(parameter.Name, scratch);
                RequestParameters.RefuseUnsupported(key);
                if (key.SequenceEqual("classification"u8))
                {
                    call.Outputs.SetClasses(ordinal, parameter.Integer("classification"));
                }
            }
        }
    }

    /// <summary>A name in one piece; of one that is too long its beginning, which is nobody's name.</summary>
    private static ReadOnlySpan<byte> Contiguous(in ReadOnlySequence<byte> name, Span<byte> scratch)
    {
        if (name.IsSingleSegment)
        {
            return name.FirstSpan;
        }

        if (name.Length > scratch.Length)
        {
            throw Invalid($"expected a name of at most {scratch.Length} bytes, got {name.Length}");
        }

        name.CopyTo(scratch);
        return scratch[..(int)name.Length];
    }
}
