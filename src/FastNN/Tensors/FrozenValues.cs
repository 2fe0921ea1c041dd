namespace FastNN.Tensors;

/// <summary>
/// What can be derived from a tensor that never changes again, such as a weight of a session, and is kept beside it: the same
/// values in the order in which a kernel reads them. Made at first use; thread-safe. Owns the memory.
/// </summary>
internal sealed unsafe class FrozenValues : IDisposable
{
    private readonly Lock _gate = new();
    private Made[] _forms = [];
    private bool _disposed;

    /// <summary>The values in a form, which lives as long as this.</summary>
    public float* In<TForm>(in TForm form)
        where TForm : struct, IFrozenForm
    {
        FrozenKey key = form.Key;
        float* found = Find(key);
        if (found != null)
        {
            return found;
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            found = Find(key);
            if (found == null)
            {
                found = (float*)HostMemory.Allocate(form.Floats * sizeof(float), clear: false);
                try
                {
                    form.Fill(found);
                }
                catch
                {
                    HostMemory.Free(found);
                    throw;
                }

                Volatile.Write(ref _forms, [.. _forms, new Made(key, (nint)found)]);
            }

            return found;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (Made form in _forms)
            {
                HostMemory.Free((void*)form.Address);
            }

            _forms = [];
        }
    }

    private float* Find(in FrozenKey key)
    {
        foreach (Made form in Volatile.Read(ref _forms))
        {
            if (form.Key == key)
            {
                return (float*)form.Address;
            }
        }

        return null;
    }

    private readonly record struct Made(FrozenKey Key, nint Address);
}

/// <summary>Names a form: what it is for, and the sizes that it depends on.</summary>
internal readonly record struct FrozenKey(string Name, int Rows, int Columns, long Other = 0);

/// <summary>A form of frozen values.</summary>
internal unsafe interface IFrozenForm
{
    FrozenKey Key { get; }

    long Floats { get; }

    /// <summary>Writes the form.</summary>
    void Fill(float* target);
}
