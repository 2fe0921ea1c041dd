using System.Globalization;
using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>
/// Parameters in one flat block of device memory, each aligned to a cache line, the padding zero and staying zero, so that an
/// optimizer updates neighbors in one pass. In sections: trainable ones first, as they are when the store is made, then frozen
/// ones, then buffers.
/// </summary>
internal sealed class ParameterStore : IParameterPlaces, IResident, IDisposable
{
    private readonly Dictionary<Parameter, Tensor> _values = [];
    private readonly DeviceBlock _block;
    private readonly Occupancy _occupancy;
    private readonly Lock _gate = new();
    private readonly List<Parameter> _held = [];

    /// <param name="device">Where the block lies.</param>
    /// <param name="parameters">What it has room for, in order.</param>
    /// <param name="occupancy">Who may use it; its own where none is given.</param>
    /// <param name="isFrozen">Whether the values never change once they were copied in.</param>
    public ParameterStore(
        IDevice device, IReadOnlyList<Parameter> parameters, Occupancy? occupancy = null, bool isFrozen = false)
    {
        Device = device;
        _occupancy = occupancy ?? new Occupancy("Parameters");
        var offsets = new Dictionary<Parameter, long>();
        long bytes = 0;
        foreach (Parameter parameter in parameters.OrderBy(parameter => parameter.IsBuffer ? 2 : parameter.IsTrainable ? 0 : 1))
        {
            if (offsets.TryAdd(parameter, bytes))
            {
                bytes = Planner.Align(bytes + (parameter.Count * sizeof(float)));
            }
        }

        // Optimizers update neighbors in one pass, so all of them are one tensor.
        int count = bytes / sizeof(float) <= int.MaxValue
            ? (int)(bytes / sizeof(float))
            : throw new ShapeException(string.Create(
                CultureInfo.InvariantCulture,
                $"Parameters: expected at most {int.MaxValue:N0} numbers in all parameters of a model, got {bytes / sizeof(float):N0}."));
        _block = new DeviceBlock(device, Math.Max(bytes, Planner.Alignment));
        All = new Tensor(_block.Address, DType.Float32, new Shape(count));
        foreach ((Parameter parameter, long offset) in offsets)
        {
            _values.Add(parameter, new Tensor(_block.Address + (nint)offset, DType.Float32, parameter.Shape)
            {
                Frozen = isFrozen && !parameter.IsCache && !parameter.IsHeld ? new FrozenValues() : null,
            });
        }
    }

    public IDevice Device { get; }

    /// <summary>All values, padding included.</summary>
    public Tensor All { get; }

    /// <summary>All parameters and buffers, in their order.</summary>
    public IReadOnlyCollection<Parameter> Parameters => _values.Keys;

    public Tensor Value(Parameter parameter) => _values.TryGetValue(parameter, out Tensor? tensor)
        ? tensor
        : throw new InvalidOperationException($"Parameter {parameter.Name} is not among those the model had when it was built.");

    /// <summary>Bytes from the beginning of the block.</summary>
    public long OffsetOf(Parameter parameter) => Value(parameter).Address - _block.Address;

    public bool Contains(Parameter parameter) => _values.ContainsKey(parameter);

    /// <summary>Copies the parameters' present values in.</summary>
    /// <exception cref="ConcurrentUseException">Another thread is training them.</exception>
    public void CopyFrom(IReadOnlyList<Parameter> parameters)
    {
        long moves;
        do
        {
            // All values are of one moment: as long as a store's occupancy is held, no step runs on it. Where a trainer took the
            // parameters meanwhile, what was read before its first step does not belong to what was read after it.
            moves = parameters.Sum(parameter => (long)parameter.Moves);
            Copy(parameters, [.. parameters.Select(parameter => parameter.Store).OfType<ParameterStore>().Distinct()], 0);
        }
        while (parameters.Sum(parameter => (long)parameter.Moves) != moves);
    }

    /// <summary>
    /// From now on the parameters' values live here. Should anything fail, they stay where they are.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another store has one of them, or it has no values.</exception>
    public void Take(IReadOnlyList<Parameter> parameters)
    {
        lock (_gate)
        {
            try
            {
                foreach (Parameter parameter in parameters)
                {
                    if (!parameter.TryClaim(this))
                    {
                        throw new InvalidOperationException(
                            $"Trainer: parameter {parameter.Name} is being trained by another trainer; dispose that first.");
                    }

                    _held.Add(parameter);
                    Device.Upload(MemoryMarshal.AsBytes<float>(parameter.RequireHost()), Value(parameter));
                }
            }
            catch
            {
                ReleaseHeld();
                throw;
            }

            _held.ForEach(parameter => parameter.DropHost());
            Device.Life.Attach(this);
        }
    }

    /// <summary>
    /// Brings the parameters' values back to the host; throws nothing. Where the device has failed they are lost, and say so
    /// until they are loaded.
    /// </summary>
    public void GoHome()
    {
        while (_held.Count > 0)
        {
            if (Device.Life.TryEnter(out DeviceUse use))
            {
                using (use)
                {
                    lock (_gate)
                    {
                        BringHome();
                    }
                }

                return;
            }

            // Another thread is closing the device and sends everything home before it does.
            Device.Life.AwaitEvacuation();
        }
    }

    /// <summary>Reads a parameter's values; false where they are on the host by now.</summary>
    public bool TryRead(Parameter parameter, Span<float> destination)
    {
        using Occupancy.Stay stay = _occupancy.Enter($"{parameter.Name}.{nameof(Parameter.Read)}");
        if (!TryEnterFor(parameter, out DeviceUse use))
        {
            return false;
        }

        using (use)
        {
            Device.Download(Value(parameter), MemoryMarshal.AsBytes(destination));
            return true;
        }
    }

    /// <summary>Replaces a parameter's values; false where they are on the host by now.</summary>
    public bool TryWrite(Parameter parameter, ReadOnlySpan<float> source)
    {
        using Occupancy.Stay stay = _occupancy.Enter($"{parameter.Name}.{nameof(Parameter.Write)}");
        if (!TryEnterFor(parameter, out DeviceUse use))
        {
            return false;
        }

        using (use)
        {
            Device.Upload(MemoryMarshal.AsBytes(source), Value(parameter));
            return true;
        }
    }

    /// <summary>Gives the memory back, after the values went home.</summary>
    public void Dispose()
    {
        GoHome();
        foreach (Tensor value in _values.Values)
        {
            value.Frozen?.Dispose();
        }

        _block.Dispose();
    }

    private bool TryEnterFor(Parameter parameter, out DeviceUse use)
    {
        if (!Device.Life.TryEnter(out use))
        {
            Device.Life.AwaitEvacuation();
            return false;
        }

        if (parameter.BelongsTo(this))
        {
            return true;
        }

        use.Dispose();
        return false;
    }

    private void Copy(IReadOnlyList<Parameter> parameters, ParameterStore[] sources, int held)
    {
        if (held < sources.Length)
        {
            using Occupancy.Stay stay = sources[held]._occupancy.Enter("Parameters.Read");
            Copy(parameters, sources, held + 1);
            return;
        }

        foreach (Parameter parameter in parameters)
        {
            if (parameter.IsCache || parameter.IsHeld)
            {
                Device.Memory.Fill(Value(parameter), 0);
                continue;
            }

            var values = new float[checked((int)parameter.Count)];
            parameter.Read(values);
            Device.Upload(MemoryMarshal.AsBytes<float>(values), Value(parameter));
        }
    }

    private void BringHome()
    {
        string? lost = null;
        foreach (Parameter parameter in _held)
        {
            float[]? values = null;
            if (lost is null)
            {
                try
                {
                    values = new float[parameter.Count];
                    Device.Download(Value(parameter), MemoryMarshal.AsBytes(values.AsSpan()));
                }
                catch (Exception exception) when (exception is DeviceException or ObjectDisposedException or OutOfMemoryException)
                {
                    (values, lost) = (null, exception.Message);
                }
            }

            parameter.Release(values, lost);
        }

        _held.Clear();
        Device.Life.Detach(this);
    }

    private void ReleaseHeld()
    {
        _held.ForEach(parameter => parameter.Unclaim());
        _held.Clear();
    }
}
