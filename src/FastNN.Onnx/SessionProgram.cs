using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using FastNN.Cpu;
using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;

namespace FastNN.Onnx;

/// <summary>What runs for certain inputs: a recording with the engine's session of it, or a graph of which the host runs a
/// part.</summary>
internal sealed class SessionProgram : IDisposable
{
    private readonly OnnxElementType[] _types;
    private readonly int[]?[] _dims;
    private readonly OnnxTensor?[] _known;
    private readonly HostGraph? _graph;
    private readonly MixedPrograms? _mixed;
    private readonly WorkerPool? _pool;
    private readonly int[] _places;
    private readonly Shape[] _shapes;
    private long _lastUse;

    /// <param name="inputs">What it is for: types and extents of the model's inputs.</param>
    /// <param name="known">Inputs whose values the recording took as constants; null for the others.</param>
    /// <param name="missing">What the engine lacks.</param>
    /// <param name="graph">What runs, in part on the host.</param>
    /// <param name="mixed">How.</param>
    public SessionProgram(
        ReadOnlySpan<OnnxTensor?> inputs, OnnxTensor?[] known, string missing, HostGraph graph, MixedPrograms mixed)
        : this(inputs, known) => (Missing, _graph, _mixed) = (missing, graph, mixed);

    /// <param name="inputs">What it is for: types and extents of the model's inputs.</param>
    /// <param name="known">Inputs whose values the recording took as constants; null for the others.</param>
    /// <param name="outputs">What the outputs are, for all examples.</param>
    /// <param name="recording">What runs.</param>
    /// <param name="session">Its session.</param>
    /// <param name="pool">Whose threads share the slices; null where there is one.</param>
    /// <param name="slices">How many parts of the inputs, along their first axis, the recording is run on.</param>
    public SessionProgram(
        ReadOnlySpan<OnnxTensor?> inputs, OnnxTensor?[] known, object?[] outputs, Tracer.Recording recording, Session session,
        WorkerPool? pool, int slices)
        : this(inputs, known)
    {
        (Outputs, Session, _pool, Slices) = (outputs, session, pool, slices);
        Recording = recording;
        _shapes = Array.ConvertAll(recording.Inputs, input => new Shape(input.Dims));
    }

    private SessionProgram(ReadOnlySpan<OnnxTensor?> inputs, OnnxTensor?[] known)
    {
        _types = new OnnxElementType[inputs.Length];
        _dims = new int[]?[inputs.Length];
        _known = known;
        var places = new List<int>();
        for (int i = 0; i < inputs.Length; i++)
        {
            _types[i] = inputs[i]?.ElementType ?? OnnxElementType.Undefined;
            _dims[i] = inputs[i]?.Dims;
            if (inputs[i] is { Count: > 0 } && known[i] is null)
            {
                places.Add(i);
            }
        }

        _places = [.. places];
        _shapes = [];
    }

    /// <summary>What the outputs are: traced, or constant. Null where the host runs a part.</summary>
    public object?[]? Outputs { get; }

    /// <summary>What runs on the engine.</summary>
    public Tracer.Recording? Recording { get; }

    /// <summary>What computes it.</summary>
    public Session? Session { get; }

    /// <summary>How often it runs, each time on a part of the examples.</summary>
    public int Slices { get; } = 1;

    /// <summary>What the engine lacks.</summary>
    public string? Missing { get; }

    public long LastUse
    {
        get => Volatile.Read(ref _lastUse);
        set => Volatile.Write(ref _lastUse, value);
    }

    /// <summary>Whether it is for these inputs.</summary>
    public bool IsFor(ReadOnlySpan<OnnxTensor?> inputs)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            OnnxTensor? input = inputs[i];
            if ((input?.ElementType ?? OnnxElementType.Undefined) != _types[i]
                || (input is null) != (_dims[i] is null) || (input is not null && !input.Dims.AsSpan().SequenceEqual(_dims[i]))
                || (_known[i] is { } known && !known.Bytes().SequenceEqual(input!.Bytes())))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Computes the outputs where the host runs a part.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="given">What they are, for messages.</param>
    /// <param name="peak">The most bytes of arenas and of values between stages that it held at a time.</param>
    /// <exception cref="ObjectDisposedException">It was dropped meanwhile.</exception>
    public OnnxValue?[] RunMixed(ReadOnlySpan<OnnxTensor?> inputs, Func<string> given, out long peak) =>
        _mixed!.Run(_graph!, [.. inputs], given, out peak);

    /// <summary>How many nodes the host ran in the last run, and how many there are.</summary>
    public (int Host, int All) MixedCount => _mixed is null ? (0, 0) : _mixed.Count(_graph!);

    /// <summary>Computes the outputs into tensors of their types and shapes. Allocates nothing once it is warm.</summary>
    /// <exception cref="ObjectDisposedException">It was dropped meanwhile.</exception>
    public void Run(ReadOnlySpan<OnnxTensor?> inputs, ReadOnlySpan<OnnxTensor?> outputs)
    {
        for (int i = 0; i < outputs.Length; i++)
        {
            if (Outputs![i] is OnnxTensor constant)
            {
                Array.Copy(constant.Data, outputs[i]!.Data, constant.Count);
            }
        }

        if (Slices == 1)
        {
            RunSlice(0, inputs, outputs);
            return;
        }

        OnnxTensor?[] rented = ArrayPool<OnnxTensor?>.Shared.Rent(inputs.Length + outputs.Length);
        try
        {
            inputs.CopyTo(rented);
            outputs.CopyTo(rented.AsSpan(inputs.Length));
            var body = new SliceBody(this, rented, inputs.Length, outputs.Length);
            if (_pool is not null)
            {
                _pool.Run(Slices, ref body);
                return;
            }

            for (int slice = 0; slice < Slices; slice++)
            {
                body.Invoke(slice, 0);
            }
        }
        finally
        {
            ArrayPool<OnnxTensor?>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>Gives back idle arenas, in stages those of one of them; tells how many bytes.</summary>
    public long TrimIdle() => Session?.TrimIdle() ?? _mixed?.TrimOldest() ?? 0;

    /// <summary>Gives back the memory that is kept for calls to come.</summary>
    public void Trim()
    {
        Session?.Trim();
        _mixed?.Trim();
    }

    public void Dispose()
    {
        Session?.Dispose();
        _mixed?.Dispose();
    }

    private void RunSlice(int slice, ReadOnlySpan<OnnxTensor?> inputs, ReadOnlySpan<OnnxTensor?> outputs)
    {
        using SessionRun run = Session!.Begin(_shapes);
        for (int i = 0; i < _places.Length; i++)
        {
            OnnxTensor input = inputs[_places[i]]!;
            int count = input.Count / Slices;
            Write(run, i, input, slice * count, count);
        }

        run.Compute();
        object?[] sources = Recording!.Outputs;
        for (int i = 0, traced = 0; i < sources.Length; i++)
        {
            if (sources[i] is Traced output)
            {
                int count = outputs[i]!.Count / Slices;
                Read(run, traced++, output, outputs[i]!, slice * count, count);
            }
        }
    }

    /// <summary>Writes elements of a tensor into an input of a run.</summary>
    public static void Write(SessionRun run, int index, OnnxTensor value, int first, int count)
    {
        switch (value.ElementType)
        {
            case OnnxElementType.Float32:
                run.Lend(index, value.Array<float>(), first, count);
                break;
            case OnnxElementType.Bool:
                run.Lend(index, value.Array<bool>(), first, count);
                break;
            case OnnxElementType.Int32:
                run.Lend(index, value.Array<int>(), first, count);
                break;
            case OnnxElementType.UInt8:
                WriteWide(run, index, value.Array<byte>().AsSpan(first, count));
                break;
            case OnnxElementType.Int8:
                WriteWide(run, index, value.Array<sbyte>().AsSpan(first, count));
                break;
            case OnnxElementType.UInt16:
                WriteWide(run, index, value.Array<ushort>().AsSpan(first, count));
                break;
            case OnnxElementType.Int16:
                WriteWide(run, index, value.Array<short>().AsSpan(first, count));
                break;
            case OnnxElementType.Float16 or OnnxElementType.BFloat16:
                float[] wide = ArrayPool<float>.Shared.Rent(count);
                if (value.ElementType == OnnxElementType.Float16)
                {
                    TensorPrimitives.ConvertToSingle(value.Array<Half>().AsSpan(first, count), wide);
                }
                else
                {
                    ReadOnlySpan<ushort> bits = value.Array<ushort>().AsSpan(first, count);
                    for (int i = 0; i < bits.Length; i++)
                    {
                        wide[i] = NarrowFloats.FromBFloat16(bits[i]);
                    }
                }

                run.Write<float>(index, wide.AsSpan(0, count));
                ArrayPool<float>.Shared.Return(wide);
                break;
            default:
                int[] narrow = ArrayPool<int>.Shared.Rent(count);
                ReadOnlySpan<long> numbers = value.Array<long>().AsSpan(first, count);
                for (int i = 0; i < numbers.Length; i++)
                {
                    narrow[i] = numbers[i] is >= int.MinValue and <= int.MaxValue
                        ? (int)numbers[i]
                        : throw new OnnxException($"OnnxSession: expected integers of 32 bits, got {numbers[i]}.");
                }

                run.Write<int>(index, narrow.AsSpan(0, count));
                ArrayPool<int>.Shared.Return(narrow);
                break;
        }
    }

    private static void WriteWide<T>(SessionRun run, int index, ReadOnlySpan<T> values)
        where T : unmanaged, INumberBase<T>
    {
        int[] wide = ArrayPool<int>.Shared.Rent(values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            wide[i] = int.CreateTruncating(values[i]);
        }

        run.Write<int>(index, wide.AsSpan(0, values.Length));
        ArrayPool<int>.Shared.Return(wide);
    }

    /// <summary>Reads an output of a run into elements of a tensor.</summary>
    public static void Read(SessionRun run, int index, Traced output, OnnxTensor target, int first, int count)
    {
        switch (output.Type)
        {
            case OnnxElementType.Float32:
                run.Read<float>(index, target.Array<float>().AsSpan(first, count));
                break;
            case OnnxElementType.Bool:
                run.Read<bool>(index, target.Array<bool>().AsSpan(first, count));
                break;
            case OnnxElementType.Int32:
                run.Read<int>(index, target.Array<int>().AsSpan(first, count));
                break;
            case OnnxElementType.Int64 when output.Plain.TensorType.Type == DType.Int64:
                run.Read<long>(index, target.Array<long>().AsSpan(first, count));
                break;
            case OnnxElementType.Int64:
                int[] narrow = ArrayPool<int>.Shared.Rent(count);
                run.Read<int>(index, narrow.AsSpan(0, count));
                Span<long> wide = target.Array<long>().AsSpan(first, count);
                for (int i = 0; i < wide.Length; i++)
                {
                    wide[i] = narrow[i];
                }

                ArrayPool<int>.Shared.Return(narrow);
                break;
            case OnnxElementType.Float16 or OnnxElementType.BFloat16:
                float[] floats = ArrayPool<float>.Shared.Rent(count);
                run.Read<float>(index, floats.AsSpan(0, count));
                if (output.Type == OnnxElementType.Float16)
                {
                    TensorPrimitives.ConvertToHalf(floats.AsSpan(0, count), target.Array<Half>().AsSpan(first, count));
                }
                else
                {
                    Span<ushort> bits = target.Array<ushort>().AsSpan(first, count);
                    for (int i = 0; i < bits.Length; i++)
                    {
                        bits[i] = NarrowFloats.ToBFloat16(floats[i]);
                    }
                }

                ArrayPool<float>.Shared.Return(floats);
                break;
            case OnnxElementType.UInt8:
                ReadNarrow(run, index, target.Array<byte>().AsSpan(first, count));
                break;
            case OnnxElementType.Int8:
                ReadNarrow(run, index, target.Array<sbyte>().AsSpan(first, count));
                break;
            case OnnxElementType.UInt16:
                ReadNarrow(run, index, target.Array<ushort>().AsSpan(first, count));
                break;
            case OnnxElementType.Int16:
                ReadNarrow(run, index, target.Array<short>().AsSpan(first, count));
                break;
            default:
                var numbers = new int[count];
                run.Read<int>(index, numbers);
                OnnxTensor converted = Numbers.Convert(new OnnxTensor(OnnxElementType.Int32, [count], numbers), output.Type);
                Array.Copy(converted.Data, 0, target.Data, first, count);
                break;
        }
    }

    private static void ReadNarrow<T>(SessionRun run, int index, Span<T> values)
        where T : unmanaged, INumberBase<T>
    {
        int[] wide = ArrayPool<int>.Shared.Rent(values.Length);
        run.Read<int>(index, wide.AsSpan(0, values.Length));
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(wide[i]);
        }

        ArrayPool<int>.Shared.Return(wide);
    }

    // One slice after the other on each thread: within a region operators keep to the thread that they are on.
    private readonly struct SliceBody(SessionProgram program, OnnxTensor?[] tensors, int inputs, int outputs) : IParallelBody
    {
        public void Invoke(int task, int worker) =>
            program.RunSlice(task, tensors.AsSpan(0, inputs), tensors.AsSpan(inputs, outputs));
    }
}
