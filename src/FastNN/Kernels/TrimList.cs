namespace FastNN.Kernels;

/// <summary>Something that keeps memory for later and can do without it.</summary>
internal interface ITrimmable
{
    /// <summary>Gives back what is not in use at this moment. May be called from any thread.</summary>
    void Trim();
}

/// <summary>
/// Whoever keeps memory of a device. It keeps none of them alive, so one that was forgotten drops out by itself.
/// </summary>
internal sealed class TrimList
{
    private readonly Lock _gate = new();
    private readonly List<WeakReference<ITrimmable>> _keepers = [];

    public void Add(ITrimmable keeper)
    {
        lock (_gate)
        {
            _keepers.RemoveAll(reference => !reference.TryGetTarget(out _));
            _keepers.Add(new WeakReference<ITrimmable>(keeper));
        }
    }

    public void Remove(ITrimmable keeper)
    {
        lock (_gate)
        {
            _keepers.RemoveAll(reference => !reference.TryGetTarget(out ITrimmable? target) || ReferenceEquals(target, keeper));
        }
    }

    public void Trim()
    {
        ITrimmable[] keepers;
        lock (_gate)
        {
            keepers = [
                .. _keepers.Select(reference => reference.TryGetTarget(out ITrimmable? target) ? target : null)
                    .OfType<ITrimmable>()];
        }

        foreach (ITrimmable keeper in keepers)
        {
            keeper.Trim();
        }
    }
}
