using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>Parameters that lie side by side in their store and are updated in one pass, and their gradients.</summary>
/// <param name="Group">Which of the groups they belong to.</param>
/// <param name="Start">Floats from the beginning of the gradients.</param>
/// <param name="Values">The parameters, padding included.</param>
/// <param name="Gradients">Their gradients.</param>
internal sealed record ParameterRun(int Group, int Start, Tensor Values, Tensor Gradients)
{
    public int Count => (int)Values.Count;
}

/// <summary>
/// The gradients of those parameters of a store that a step trains, in one block: group after group, and within a group run after
/// run, each laid out as the parameters are. A network that is trained as a whole is one run.
/// </summary>
internal sealed class GradientStore : IDisposable
{
    private readonly DeviceBlock _block;
    private readonly Dictionary<Parameter, (Tensor Tensor, int Start)> _gradients = [];
    private readonly List<ParameterRun> _runs = [];

    /// <param name="store">Holds the parameters.</param>
    /// <param name="groups">Which are trained; each once.</param>
    public GradientStore(ParameterStore store, params IReadOnlyList<IReadOnlyList<Parameter>> groups)
    {
        Store = store;
        var runs = new List<(int Group, long Offset, long Bytes, List<Parameter> Parameters)>();
        for (int group = 0; group < groups.Count; group++)
        {
            foreach (Parameter parameter in groups[group].OrderBy(store.OffsetOf))
            {
                long offset = store.OffsetOf(parameter), bytes = Planner.Align(parameter.Count * sizeof(float));
                if (runs.Count > 0 && runs[^1] is var last && last.Group == group && last.Offset + last.Bytes == offset)
                {
                    last.Parameters.Add(parameter);
                    runs[^1] = last with { Bytes = last.Bytes + bytes };
                }
                else
                {
                    runs.Add((group, offset, bytes, [parameter]));
                }
            }
        }

        Count = checked((int)(runs.Sum(run => run.Bytes) / sizeof(float)));
        _block = new DeviceBlock(store.Device, Math.Max((long)Count * sizeof(float), Planner.Alignment));
        Gradients = new Tensor(_block.Address, DType.Float32, new Shape(Count));
        long start = 0;
        foreach ((int group, long offset, long bytes, List<Parameter> parameters) in runs)
        {
            var shape = new Shape((int)(bytes / sizeof(float)));
            _runs.Add(new ParameterRun(
                group, (int)(start / sizeof(float)), new Tensor(store.All.Address + (nint)offset, DType.Float32, shape),
                new Tensor(_block.Address + (nint)start, DType.Float32, shape)));
            foreach (Parameter parameter in parameters)
            {
                long at = start + store.OffsetOf(parameter) - offset;
                _gradients.Add(
                    parameter,
                    (new Tensor(_block.Address + (nint)at, DType.Float32, parameter.Shape), (int)(at / sizeof(float))));
            }

            start += bytes;
        }
    }

    public ParameterStore Store { get; }

    /// <summary>All gradients, padding included, which is zero.</summary>
    public Tensor Gradients { get; }

    /// <summary>Floats, padding included.</summary>
    public int Count { get; }

    /// <summary>In the order of groups.</summary>
    public IReadOnlyList<ParameterRun> Runs => _runs;

    /// <summary>The trained parameters, in the order of the runs.</summary>
    public IEnumerable<Parameter> Parameters => _gradients.Keys;

    public bool Contains(Parameter parameter) => _gradients.ContainsKey(parameter);

    /// <exception cref="InvalidOperationException">The step does not train it.</exception>
    public Tensor Gradient(Parameter parameter) => Find(parameter).Tensor;

    /// <summary>Floats from the beginning of the gradients to a parameter's.</summary>
    /// <exception cref="InvalidOperationException">The step does not train it.</exception>
    public int StartOf(Parameter parameter) => Find(parameter).Start;

    public void Dispose() => _block.Dispose();

    private (Tensor Tensor, int Start) Find(Parameter parameter) =>
        _gradients.TryGetValue(parameter, out (Tensor Tensor, int Start) found)
        ? found
        : throw new InvalidOperationException(
            $"Parameter {parameter.Name} has no gradient: it is frozen, or not among those that this step trains.");
}
