using System.Buffers;
using FastNN.Cpu;

namespace FastNN.Hosting;

/// <summary>Computes calls of a model of the library.</summary>
internal sealed class SessionEngine : IModelEngine
{
    private readonly Session _session;
    private readonly BufferPool _buffers;

    /// <param name="model">A built model, whose parameters are copied.</param>
    /// <param name="device">Where to run.</param>
    /// <param name="options">What the session keeps.</param>
    /// <param name="buffers">Where rows of several calls are put together.</param>
    public SessionEngine(Layer model, Device device, SessionOptions options, BufferPool buffers)
    {
        _session = model.CreateSession(device, options);
        _buffers = buffers;
        Processor = device.Implementation as CpuCore;
        Inputs = [.. _session.Inputs.Select(Describe)];
        Outputs = [.. _session.Outputs.Select(Describe)];
        IsBatchable = _session.Inputs.Concat(_session.Outputs).All(value => value.Shape.Rank > 0 && value.Shape[0] == Dim.Batch);
        ParameterCount = model.Parameters.Sum(parameter => parameter.Count);
        ClassNames = (model as Model)?.ClassNames ?? [];
    }

    /// <inheritdoc/>
    public string Platform => "fastnn";

    /// <inheritdoc/>
    public CpuCore? Processor { get; }

    /// <inheritdoc/>
    public long ParameterCount { get; }

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Inputs { get; }

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Outputs { get; }

    /// <inheritdoc/>
    public bool IsBatchable { get; }

    /// <inheritdoc/>
    public bool AllowsEmpty => false;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock)
    {
        int inputs = Inputs.Count;
        Shape[] shapes = ArrayPool<Shape>.Shared.Rent(inputs);
        byte[]?[] gathered = ArrayPool<byte[]?>.Shared.Rent(inputs);
        Array.Clear(gathered, 0, inputs);
        try
        {
            Span<int> dimensions = stackalloc int[Shape.MaxRank];
            for (int i = 0; i < inputs; i++)
            {
                shapes[i] = new Shape(dimensions[..BatchRows.Dimensions(batch, i, rows, dimensions)]);
            }

            using SessionRun run = _session.Begin(shapes.AsSpan(0, inputs));
            for (int i = 0; i < inputs; i++)
            {
                if (Inputs[i].DataType == TensorDataType.Bool)
                {
                    BatchRows.RequireTruthValues(batch, Inputs, i);
                }

                Lend(run, i, batch, ref gathered[i]);
            }

            clock.InputsReady();
            run.Compute();
            clock.Computed();
            for (int i = 0; i < Outputs.Count; i++)
            {
                Shape shape = run.OutputShape(i);
                for (int axis = 0; axis < shape.Rank; axis++)
                {
                    dimensions[axis] = shape[axis];
                }

                BatchRows.Scatter(batch, i, rows, dimensions[..shape.Rank], run.OutputBytes(i));
            }
        }
        finally
        {
            for (int i = 0; i < inputs; i++)
            {
                _buffers.Return(gathered[i]);
            }

            ArrayPool<byte[]?>.Shared.Return(gathered, clearArray: true);
            ArrayPool<Shape>.Shared.Return(shapes);
        }
    }

    /// <inheritdoc/>
    public Session? FindSession(ReadOnlySpan<QueuedCall> batch, int rows) => _session;

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    /// <summary>Has the session read an input where it lies: in the call, or, for several calls, where it was put
    /// together.</summary>
    private void Lend(SessionRun run, int input, ReadOnlySpan<QueuedCall> batch, ref byte[]? gathered)
    {
        if (batch.Length == 1)
        {
            CallTensor tensor = ((ServedCall)batch[0]).Input(input);
            run.LendBytes(input, tensor.Buffer!, tensor.Length);
            return;
        }

        int length = BatchRows.Length(batch, input);
        gathered = _buffers.Rent(length);
        BatchRows.Gather(batch, input, gathered);
        run.LendBytes(input, gathered, length);
    }

    private static ModelTensor Describe(SessionValue value)
    {
        int[] dimensions = [.. value.Shape.Select(extent => Dim.IsSymbol(extent) ? -1 : extent)];
        return new ModelTensor(value.Name, EngineTypes.Of(value.Type.Type), dimensions);
    }
}
