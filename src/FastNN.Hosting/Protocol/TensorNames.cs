using System.Runtime.CompilerServices;
using System.Text;

namespace FastNN.Hosting.Protocol;

/// <summary>
/// The names of a model's inputs and outputs in UTF-8, so that requests find them without a string of their own.
/// </summary>
internal sealed class TensorNames
{
    private static readonly ConditionalWeakTable<IReadOnlyList<ModelTensor>, TensorNames> _cache = [];

    private readonly byte[][] _names;

    private TensorNames(IReadOnlyList<ModelTensor> tensors) =>
        _names = [.. tensors.Select(tensor => Encoding.UTF8.GetBytes(tensor.Name))];

    /// <summary>The names of a list of tensors; kept as long as the list is, so that a reloaded model brings its own.</summary>
    public static TensorNames Of(IReadOnlyList<ModelTensor> tensors) =>
        _cache.TryGetValue(tensors, out TensorNames? names)
            ? names
            : _cache.GetValue(tensors, static list => new TensorNames(list));

    /// <summary>The name at a place.</summary>
    public ReadOnlySpan<byte> this[int index] => _names[index];

    /// <summary>The place of a name, or -1.</summary>
    public int IndexOf(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            if (name.SequenceEqual(_names[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
