using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Optimizers;
using FastNN.Tensors;

namespace FastNN.Training;

/// <summary>
/// A model with its loss, compiled for one batch size and mode: a training step, or a forward pass, that can be launched as one, with
/// ways for batches to come in and results to go out.
/// </summary>
internal sealed class TrainingProgram : IDisposable
{
    private readonly IDevice _device;
    private readonly OptimizerState? _optimizer;
    private readonly Replay _replay;
    private IReadback? _loss;
    private IReadback? _lossAndOutput;
    private IReadback? _begun;
    private BatchFeed? _feed;

    private TrainingProgram(IDevice device, Executor executor, Tensor x, Tensor target, Tensor output, Tensor loss, OptimizerState? optimizer)
    {
        _device = device;
        _optimizer = optimizer;
        Executor = executor;
        X = x;
        Target = target;
        Output = output;
        Loss = loss;
        _replay = new Replay(device, optimizer is null ? executor.Forward : Step, executor.Plan.IsCapturable);
    }

    public Executor Executor { get; }

    public Tensor X { get; }

    public Tensor Target { get; }

    public Tensor Output { get; }

    public Tensor Loss { get; }

    /// <summary>What one run launches once it is captured; null before and on a CPU.</summary>
    public ILaunchGraph? Graph => _replay.Graph;

    /// <summary>Batches that come in while the one before is computed; null where that gains nothing.</summary>
    public BatchFeed? Feed => _feed ??= BatchFeed.Create(_device, X, Target);

    /// <param name="optimizer">What ends a step in training mode.</param>
    public static TrainingProgram Create(
        IDevice device, Layer model, Loss loss, Shape example, int batch, GraphMode mode, ulong seed, ParameterStore store, OptimizerState optimizer,
        Tensor stepCounter, Arena arena)
    {
        (Plan plan, Value x, Value target, Value output, Value root) = Compile(device, model, loss, example, batch, mode, seed);
        var executor = new Executor(device, plan, store, stepCounter, arena);
        return new TrainingProgram(
            device, executor, executor[x], executor[target], executor[output], executor[root], mode == GraphMode.Training ? optimizer : null);
    }

    /// <summary>Records and plans without touching device memory.</summary>
    public static (Plan Plan, Value X, Value Target, Value Output, Value Root) Compile(
        IPlanning device, Layer model, Loss loss, Shape example, int batch, GraphMode mode, ulong seed)
    {
        var graph = new Graph(mode, seed);
        Value x = graph.Input(example.Prepend(batch));
        Value output = model.Apply(x);
        Value target = graph.Input(loss.TargetShape(output.Shape), loss.ClassIndices ? DType.Int32 : DType.Float32);
        Value root = loss.Apply(output, target);
        if (root.Shape.Rank != 0)
        {
            throw new ShapeException($"{loss.Name}: training needs one number, the loss has shape {root.Shape}; choose the reduction Mean or Sum.");
        }

        foreach (Value penalty in graph.Penalties.Values)
        {
            root += penalty;
        }

        return (Compiler.Compile(device, graph, [root, output], mode == GraphMode.Training ? root : null), x, target, output, root);
    }

    /// <summary>
    /// Launches a whole step in training mode, a forward pass in inference, and begins to read the loss, and where asked for the output.
    /// </summary>
    public void Begin(bool withOutput)
    {
        _replay.Run();
        BeginReading(withOutput);
    }

    /// <summary>Begins to read what was computed last.</summary>
    public void BeginReading(bool withOutput)
    {
        _begun = withOutput ? _lossAndOutput ??= _device.CreateReadback(Loss, Output) : _loss ??= _device.CreateReadback(Loss);
        _begun.Begin();
    }

    /// <summary>The loss, once it has arrived.</summary>
    public float ReadLoss() => MemoryMarshal.Read<float>(_begun!.Read(0));

    /// <summary>The output that came with the loss; valid until the next run.</summary>
    public ReadOnlySpan<float> ReadOutput() => MemoryMarshal.Cast<byte, float>(_begun!.Read(1));

    public void Dispose()
    {
        _feed?.Dispose();
        _loss?.Dispose();
        _lossAndOutput?.Dispose();
        _replay.Dispose();
        Executor.Dispose();
    }

    private void Step()
    {
        Executor.Forward();
        Executor.Backward();
        _optimizer!.Update(Loss);
    }
}
