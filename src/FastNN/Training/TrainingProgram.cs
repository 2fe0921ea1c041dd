using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Layers;
using FastNN.Losses;
using FastNN.Tensors;

namespace FastNN.Training;

/// <summary>A model with its loss, compiled for one batch size and mode.</summary>
internal sealed class TrainingProgram : IDisposable
{
    private TrainingProgram(Executor executor, Tensor x, Tensor target, Tensor output, Tensor loss)
    {
        Executor = executor;
        X = x;
        Target = target;
        Output = output;
        Loss = loss;
    }

    public Executor Executor { get; }

    public Tensor X { get; }

    public Tensor Target { get; }

    public Tensor Output { get; }

    public Tensor Loss { get; }

    public static TrainingProgram Create(
        IDevice device, Layer model, Loss loss, Shape example, int batch, GraphMode mode, ulong seed, ParameterStore store, Tensor stepCounter, nint arena,
        long arenaBytes)
    {
        (Plan plan, Value x, Value target, Value output, Value root) = Compile(device, model, loss, example, batch, mode, seed);
        var executor = new Executor(device, plan, store, stepCounter, plan.PeakBytes <= arenaBytes ? arena : 0);
        return new TrainingProgram(executor, executor[x], executor[target], executor[output], executor[root]);
    }

    /// <summary>Records and plans without touching device memory.</summary>
    public static (Plan Plan, Value X, Value Target, Value Output, Value Root) Compile(
        IKernels device, Layer model, Loss loss, Shape example, int batch, GraphMode mode, ulong seed)
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

    public void Dispose() => Executor.Dispose();
}
