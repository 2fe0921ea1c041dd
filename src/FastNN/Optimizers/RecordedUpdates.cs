using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Optimizers;

/// <summary>What an update changes: numbers of parameters, their gradients and states, and the group's scalars.</summary>
internal sealed record UpdatePlaces(ParameterGroup? Group, Tensor Scalars, Tensor Parameters, Tensor Gradients, Tensor[] States);

/// <summary>
/// The updates of a <see cref="CustomOptimizer"/> on a device: plans that read parameters, gradients and states where they lie,
/// and guarded copies of what they compute. Flat vectors are cut into pieces, so that what lies between takes a few MB however
/// large the network is.
/// </summary>
internal sealed class RecordedUpdates : IDisposable
{
    /// <summary>Numbers per piece: 4 MB each for parameters, gradients and states.</summary>
    private const int Piece = 1 << 20;

    private readonly IDevice _device;
    private readonly Arena _arena;
    private readonly List<Executor> _executors = [];

    public RecordedUpdates(IDevice device, CustomOptimizer optimizer, IEnumerable<UpdatePlaces> updates)
    {
        (_device, _arena) = (device, new Arena(device));
        try
        {
            Bind([.. Compile(optimizer, optimizer.TakesAnyNumbers ? updates.SelectMany(Cut) : updates)]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether a GPU can be given a step with these updates as a whole.</summary>
    public bool IsCapturable { get; private set; } = true;

    /// <summary>One update of everything, unless the guard forbids it.</summary>
    /// <param name="results">What the guard left.</param>
    public void Run(Tensor results)
    {
        foreach (Executor executor in _executors)
        {
            executor.Forward();
            _device.Updates.GuardCopy(executor.WriteBacks, results);
        }
    }

    public void Dispose()
    {
        _executors.ForEach(executor => executor.Dispose());
        _executors.Clear();
        _arena.Dispose();
    }

    private static IEnumerable<UpdatePlaces> Cut(UpdatePlaces whole)
    {
        for (int start = 0; start < (int)whole.Parameters.Count; start += Piece)
        {
            int at = start, count = Math.Min(Piece, (int)whole.Parameters.Count - start);
            Tensor Part(Tensor tensor) => new(tensor.Address + ((nint)at * sizeof(float)), DType.Float32, new Shape(count));
            yield return whole with
            {
                Parameters = Part(whole.Parameters),
                Gradients = Part(whole.Gradients),
                States = Array.ConvertAll(whole.States, Part)
            };
        }
    }

    /// <summary>A recording and a plan for each shape and group.</summary>
    private List<(UpdatePlaces Update, UpdateRecording Recording, Plan Plan)> Compile(
        CustomOptimizer optimizer, IEnumerable<UpdatePlaces> updates)
    {
        var known = new Dictionary<(Shape Shape, float Decay), (UpdateRecording Recording, Plan Plan)>();
        var all = new List<(UpdatePlaces, UpdateRecording, Plan)>();
        foreach (UpdatePlaces update in updates)
        {
            (Shape Shape, float Decay) key = (update.Parameters.Shape, update.Group?.WeightDecay ?? optimizer.WeightDecay);
            if (!known.TryGetValue(key, out (UpdateRecording Recording, Plan Plan) found))
            {
                var recording = new UpdateRecording(
                    optimizer.Name, key.Shape, optimizer.StateInfos.Select(state => state.Name), key.Decay);
                optimizer.RecordInto(recording);
                recording.Finish();
                found = (recording, Compiler.Compile(_device, recording.Graph, []));
                known.Add(key, found);
            }

            IsCapturable &= found.Plan.IsCapturable;
            all.Add((update, found.Recording, found.Plan));
        }

        return all;
    }

    private void Bind(List<(UpdatePlaces Update, UpdateRecording Recording, Plan Plan)> updates)
    {
        // The arena is as large as the largest plan needs before anything is bound to it.
        _arena.Require(updates.Select(update => update.Plan.PeakBytes).DefaultIfEmpty().Max());
        foreach ((UpdatePlaces update, UpdateRecording recording, Plan plan) in updates)
        {
            _executors.Add(new Executor(_device, plan, new Places(recording, update), arena: _arena));
        }
    }

    /// <summary>Where the values of a recording lie.</summary>
    private sealed class Places : IParameterPlaces
    {
        private readonly Dictionary<Parameter, Tensor> _tensors = [];

        public Places(UpdateRecording recording, UpdatePlaces update)
        {
            Add(recording.Parameter, update.Parameters);
            Add(recording.Gradient, update.Gradients);
            Add(recording.LearningRate, new Tensor(update.Scalars.Address, DType.Float32, default(Shape)));
            Add(recording.Step, new Tensor(update.Scalars.Address + sizeof(float), DType.Float32, default(Shape)));
            int i = 0;
            foreach (Value state in recording.States.Values)
            {
                Add(state, update.States[i++]);
            }
        }

        public Tensor Value(Parameter parameter) => _tensors[parameter];

        private void Add(Value value, Tensor tensor) => _tensors.Add(value.Parameter!, tensor);
    }
}
