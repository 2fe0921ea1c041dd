using System.Text.Json;
using FastNN.Formats;

namespace FastNN.Testing;

/// <summary>
/// One file of stored numbers: operator, attributes, tensors and tolerances. It notes which tensors were used as inputs or
/// compared; <see cref="Finish"/> fails where one was not.
/// </summary>
internal sealed class GoldenCase
{
    private readonly Dictionary<string, Stored> _tensors = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = [];
    private readonly Dictionary<string, double> _atolByTensor = [];
    private readonly double _rtol;
    private readonly double _atol;

    private GoldenCase(SafetensorsReader file)
    {
        Name = Path.GetFileNameWithoutExtension(file.FilePath);
        Op = file.Metadata["op"];
        Attributes = new Attributes(file.Metadata["attrs"]);
        using (var tolerance = JsonDocument.Parse(file.Metadata["tolerance"]))
        {
            _rtol = tolerance.RootElement.GetProperty("rtol").GetDouble();
            _atol = tolerance.RootElement.GetProperty("atol").GetDouble();
            if (tolerance.RootElement.TryGetProperty("atol_by_tensor", out JsonElement byTensor))
            {
                _atolByTensor = byTensor.EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetDouble());
            }
        }

        foreach (SafetensorsTensor tensor in file.Tensors)
        {
            bool integer = tensor.Type == SafetensorsType.I64;
            _tensors.Add(tensor.Name, new Stored(
                tensor.Shape.ToArray(), integer ? [] : file.ReadSingles(tensor.Name),
                integer ? file.ReadInt64s(tensor.Name) : []));
        }
    }

    public string Name { get; }

    public string Op { get; }

    public Attributes Attributes { get; }

    /// <summary>In the order of the file.</summary>
    public IEnumerable<string> TensorNames => _tensors.Keys;

    /// <summary>Tensors compared so far.</summary>
    public List<string> Compared { get; } = [];

    /// <summary>The largest share of its tolerance that a compared value took.</summary>
    public double Worst { get; private set; }

    public static GoldenCase Open(string path)
    {
        using var file = SafetensorsReader.Open(path);
        return new GoldenCase(file);
    }

    public bool Has(string name) => _tensors.ContainsKey(name);

    public int[] ShapeOf(string name) => Find(name).Shape;

    public bool IsInteger(string name) => Find(name).Integers.Length > 0;

    /// <summary>A tensor as an input.</summary>
    public float[] Floats(string name)
    {
        _seen.Add(name);
        return Find(name).Floats;
    }

    /// <summary>An integer tensor as an input.</summary>
    public int[] Integers(string name)
    {
        _seen.Add(name);
        return Array.ConvertAll(Find(name).Integers, value => checked((int)value));
    }

    /// <summary>Fails unless every |actual - stored| is at most atol + rtol |stored|.</summary>
    /// <param name="actual">In the order of the file.</param>
    public void Compare(string name, ReadOnlySpan<float> actual)
    {
        float[] stored = Find(name).Floats;
        double atol = _atolByTensor.GetValueOrDefault(name, _atol);
        Note(name, stored.Length, actual.Length);
        for (int i = 0; i < stored.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - stored[i]), allowed = atol + (_rtol * Math.Abs((double)stored[i]));
            // Negated, so that NaN fails.
            if (!(difference <= allowed))
            {
                throw new GoldenMismatchException(
                    $"{Name}: {name}[{i}] is {actual[i]:g9}, {stored[i]:g9} stored; tolerance {atol:g3} + {_rtol:g3} of it");
            }

            Worst = Math.Max(Worst, allowed > 0 ? difference / allowed : 0);
        }
    }

    /// <summary>Integers are exact.</summary>
    public void CompareExactly(string name, ReadOnlySpan<long> actual)
    {
        long[] stored = Find(name).Integers;
        Note(name, stored.Length, actual.Length);
        for (int i = 0; i < stored.Length; i++)
        {
            if (actual[i] != stored[i])
            {
                throw new GoldenMismatchException($"{Name}: {name}[{i}] is {actual[i]}, {stored[i]} stored");
            }
        }
    }

    /// <summary>Fails on tensors that were neither used nor compared, and refuses attributes that were not read.</summary>
    public void Finish()
    {
        string[] attributes = [.. Attributes.Unread];
        if (attributes.Length > 0)
        {
            throw new UnsupportedCaseException($"attributes {string.Join(", ", attributes)}");
        }

        string[] unseen = [.. _tensors.Keys.Where(name => !_seen.Contains(name))];
        if (unseen.Length > 0)
        {
            throw new GoldenMismatchException($"{Name}: nothing looked at {string.Join(", ", unseen)}");
        }

        if (Compared.Count == 0)
        {
            throw new GoldenMismatchException($"{Name}: nothing was compared");
        }
    }

    /// <summary>Changes one stored number by more than any tolerance, to see whether the comparison notices.</summary>
    public void Perturb(string name)
    {
        Stored stored = Find(name);
        if (stored.Integers.Length > 0)
        {
            stored.Integers[^1]++;
        }
        else
        {
            double value = stored.Floats[^1];
            double allowed = _atolByTensor.GetValueOrDefault(name, _atol) + (_rtol * Math.Abs(value));
            stored.Floats[^1] = (float)(value + (4 * allowed));
        }
    }

    private void Note(string name, int stored, int actual)
    {
        _seen.Add(name);
        Compared.Add(name);
        if (stored != actual)
        {
            throw new GoldenMismatchException($"{Name}: {name} has {actual} values, {stored} stored");
        }
    }

    private Stored Find(string name) => _tensors.TryGetValue(name, out Stored? tensor)
        ? tensor
        : throw new UnsupportedCaseException($"tensor {name} is missing");

    private sealed record Stored(int[] Shape, float[] Floats, long[] Integers);
}
