namespace FastNN.Tensors;

/// <summary>
/// What can be derived from a tensor that never changes again, such as a weight of a session, and is kept beside it: the same
/// values in the order in which a kernel reads them. Made at first use; thread-safe. Owns the memory.
/// </summary>
/// <remarks>
/// The values themselves may be still to come: then a form is filled from a copy that goes again, and they take memory at their
/// own place only if a kernel reads them there.
/// </remarks>
internal sealed unsafe class FrozenValues : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ConstantData? _data;
    private readonly byte* _place;
    private Made[] _forms = [];
    private volatile bool _isLoaded;
    private bool _disposed;

    /// <summary>Of values that lie in their place.</summary>
    public FrozenValues() => _isLoaded = true;

    /// <summary>Of values that are still to come.</summary>
    /// <param name="data">The values.</param>
    /// <param name="place">Where they go, once a kernel reads them there.</param>
    public FrozenValues(ConstantData data, nint place)
    {
        _data = data;
        _place = (byte*)place;
    }

    /// <summary>Whether the values lie in their place.</summary>
    public bool IsLoaded => _isLoaded;

    /// <summary>Writes the values to their own memory, for kernels that read them there.</summary>
    public void Load() => Load(default(PlainLoader));

    /// <summary>Writes the values to their own memory, for kernels that read them there.</summary>
    public void Load<TLoader>(in TLoader loader)
        where TLoader : struct, IConstantLoader
    {
        if (_isLoaded)
        {
            return;
        }

        lock (_gate)
        {
            if (!_isLoaded)
            {
                loader.Load(_data!, _place);
                _isLoaded = true;
            }
        }
    }

    /// <summary>The values in a form, which lives as long as this.</summary>
    /// <param name="form">The form.</param>
    /// <param name="loader">Brings values that are still to come.</param>
    /// <param name="values">Where the values lie, or will.</param>
    public float* In<TForm, TLoader>(in TForm form, in TLoader loader, float* values)
        where TForm : struct, IFrozenForm
        where TLoader : struct, IConstantLoader
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
                    Fill(form, loader, values, found);
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

    private void Fill<TForm, TLoader>(in TForm form, in TLoader loader, float* values, float* target)
        where TForm : struct, IFrozenForm
        where TLoader : struct, IConstantLoader
    {
        if (_isLoaded)
        {
            form.Fill(values, target);
            return;
        }

        byte* loaded = HostMemory.Allocate(_data!.Length, clear: false);
        try
        {
            loader.Load(_data, loaded);
            form.Fill((float*)(loaded + ((byte*)values - _place)), target);
        }
        finally
        {
            HostMemory.Free(loaded);
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

    private readonly struct PlainLoader : IConstantLoader
    {
        public void Load(ConstantData data, byte* target) => data.Write(new Span<byte>(target, data.Length));
    }
}

/// <summary>Names a form: what it is for, and the sizes that it depends on.</summary>
internal readonly record struct FrozenKey(string Name, int Rows, int Columns, long Other = 0);

/// <summary>A form of frozen values.</summary>
internal unsafe interface IFrozenForm
{
    FrozenKey Key { get; }

    long Floats { get; }

    /// <summary>Writes the form of some values.</summary>
    void Fill(float* values, float* target);
}

/// <summary>Writes the values of constants, on the threads that it has.</summary>
internal unsafe interface IConstantLoader
{
    void Load(ConstantData data, byte* target);
}
