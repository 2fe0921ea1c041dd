using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using FastNN.Hosting.Protocol;

namespace FastNN.Hosting;

/// <summary>Finds models by the bytes of their names, so that a request makes no text of them. Thread-safe.</summary>
internal sealed class ModelLookup(IModelCatalog catalog)
{
    /// <summary>Name and version together; longer ones are no model's.</summary>
    private const int MaxBytes = 512;

    /// <summary>
    /// Only names of models that were found are kept, but versions come and go: beyond this many all are forgotten.
    /// </summary>
    private const int MaxKept = 1024;

    private readonly ConcurrentDictionary<byte[], Names> _names = new(BytesComparer.Instance);

    /// <summary>Finds a model that is ready.</summary>
    /// <param name="name">Its name, as in the message.</param>
    /// <param name="version">One version; empty for the highest that is ready.</param>
    /// <exception cref="InferenceException">There is no such model, or it is not ready.</exception>
    public IModel Find(in ReadOnlySequence<byte> name, in ReadOnlySequence<byte> version)
    {
        if (name.IsEmpty)
        {
            throw new InferenceException(InferenceFailure.InvalidInput, "expected the name of a model in model_name, got none");
        }

        if (name.Length + version.Length >= MaxBytes)
        {
            Span<byte> start = stackalloc byte[MaxBytes];
            start = start[..(int)Math.Min(name.Length, MaxBytes)];
            name.Slice(0, start.Length).CopyTo(start);
            throw new InferenceException(InferenceFailure.NotFound, $"there is no model {Show.Name(start)}");
        }

        // A zero byte parts the two: no name has one.
        Span<byte> buffer = stackalloc byte[MaxBytes];
        name.CopyTo(buffer);
        int at = (int)name.Length;
        buffer[at] = 0;
        version.CopyTo(buffer[(at + 1)..]);
        ReadOnlySpan<byte> key = buffer[..(at + 1 + (int)version.Length)];

        var lookup = _names.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(key, out Names? known) && catalog.TryGet(known.Name, known.Version, out IModel? model))
        {
            return model;
        }

        known = new Names(Encoding.UTF8.GetString(name), version.IsEmpty ? null : Encoding.UTF8.GetString(version));
        model = catalog.Find(known.Name, known.Version);
        if (_names.Count >= MaxKept)
        {
            _names.Clear();
        }

        lookup[key] = known;
        return model;
    }

    private sealed record Names(string Name, string? Version);

    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly BytesComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
