namespace FastNN.Data;

/// <summary>
/// A list that grows without copying what it has, so that gathering an array of unknown length allocates it twice and no more: as
/// pieces, and as the array.
/// </summary>
internal sealed class Pieces<T>
    where T : unmanaged
{
    private const int Longest = 1 << 16;

    private readonly List<T[]> _full = [];
    private T[] _piece = new T[256];
    private int _used;

    public long Count { get; private set; }

    public void Add(T value)
    {
        if (_used == _piece.Length)
        {
            _full.Add(_piece);
            _piece = new T[Math.Min(Longest, 2 * _piece.Length)];
            _used = 0;
        }

        _piece[_used++] = value;
        Count++;
    }

    /// <summary>All values; at most <see cref="Array.MaxLength"/>.</summary>
    public T[] ToArray()
    {
        var values = GC.AllocateUninitializedArray<T>(checked((int)Count));
        int at = 0;
        foreach (T[] piece in _full)
        {
            piece.CopyTo(values, at);
            at += piece.Length;
        }

        _piece.AsSpan(0, _used).CopyTo(values.AsSpan(at));
        return values;
    }
}
