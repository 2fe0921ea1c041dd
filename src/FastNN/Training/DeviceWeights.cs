using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN;

/// <summary>
/// The parameters and buffers of models on a device, for one or several training steps (<see cref="TrainingStep"/>): adversaries,
/// or a teacher and its student. One thread at a time. They return to their models when it is disposed; its steps end with it.
/// </summary>
public sealed class DeviceWeights : IDisposable
{
    private readonly Dictionary<Parameter, string> _names = [];
    private int _disposed;

    /// <summary>Takes the parameters of models to a device.</summary>
    /// <param name="device">Where to train.</param>
    /// <param name="models">Built models, the trained and the frozen ones.</param>
    /// <exception cref="InvalidOperationException">A model is not built, or is being trained elsewhere.</exception>
    public DeviceWeights(Device device, params IReadOnlyList<Layer> models)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(models);
        foreach (Layer model in models)
        {
            if (!model.IsBuilt)
            {
                throw new InvalidOperationException(
                    "DeviceWeights: a model is not built; call model.Build(shape of one example) first.");
            }
        }

        (Implementation, Occupancy) = (device.Implementation, new Occupancy(nameof(TrainingStep)));
        using DeviceUse use = Implementation.Life.Enter();
        foreach (NamedParameter named in models.SelectMany(model => model.NamedParameters))
        {
            _names.TryAdd(named.Parameter, named.Name);
        }

        Store = Place(Implementation, [.. _names.Keys], Occupancy);
    }

    /// <summary>The weights of a trainer, which decides itself when they go.</summary>
    internal DeviceWeights(
        IDevice device, IReadOnlyList<Parameter> parameters, IEnumerable<NamedParameter> names, Occupancy occupancy)
    {
        foreach (NamedParameter named in names)
        {
            _names.TryAdd(named.Parameter, named.Name);
        }

        (Implementation, Occupancy) = (device, occupancy);
        Store = Place(device, parameters, occupancy);
    }

    /// <summary>
    /// Compiles a model for inference on these very weights: what it computes follows the training, without a copy. For samples,
    /// teachers and agents while they are trained; <see cref="InferenceExtensions.CreateSession"/> copies the values instead.
    /// Run it on the thread that trains, and dispose it before the weights.
    /// </summary>
    /// <param name="model">One of the models.</param>
    /// <param name="options">What the session may keep; null for the defaults.</param>
    /// <returns>The session.</returns>
    /// <exception cref="ArgumentException">The model is not among these weights.</exception>
    /// <exception cref="InvalidOperationException">The model has preprocessing and several inputs.</exception>
    /// <exception cref="ObjectDisposedException">The weights were disposed.</exception>
    public Session CreateSession(Layer model, SessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        using DeviceUse use = Implementation.Life.Enter();
        return InferenceExtensions.Record(model, Implementation, options, Store);
    }

    internal IDevice Implementation { get; }

    internal Occupancy Occupancy { get; }

    internal ParameterStore Store { get; }

    /// <summary>A parameter's name in its model.</summary>
    internal string NameOf(Parameter parameter) => _names.GetValueOrDefault(parameter, parameter.Name);

    internal bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>
    /// Brings the parameters back to their models and frees the device memory. Throws nothing; what runs on them ends first.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Occupancy.WhenVacant(Store.Dispose);
        }
    }

    private static ParameterStore Place(IDevice device, IReadOnlyList<Parameter> parameters, Occupancy occupancy)
    {
        var store = new ParameterStore(device, parameters, occupancy);
        try
        {
            store.Take(parameters);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }
}
