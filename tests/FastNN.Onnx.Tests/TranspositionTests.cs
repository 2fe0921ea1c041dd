using FastNN.Onnx.Host;

namespace FastNN.Onnx.Tests;

/// <summary>Axes in another order, beside a loop over single elements.</summary>
public sealed class TranspositionTests
{
    private static readonly int[] Extents = [1, 2, 3, 7, 16, 17, 33];

    [Test]
    public void Every_element_comes_to_its_place([Range(0, 4)] int rank, [Values] bool wide)
    {
        var random = new Random(rank);
        for (int round = 0; round < 60; round++)
        {
            int[] dims = new int[rank];
            for (int axis = 0; axis < rank; axis++)
            {
                dims[axis] = Extents[random.Next(axis < 2 ? Extents.Length : 4)];
            }

            int[] order = [.. Enumerable.Range(0, rank)];
            random.Shuffle(order);
            int count = dims.Aggregate(1, (product, extent) => product * extent);
            int[] numbers = [.. Enumerable.Range(0, count)];
            OnnxTensor tensor = wide
                ? OnnxTensor.Create(Array.ConvertAll(numbers, n => (long)n), dims)
                : OnnxTensor.Create(numbers, dims);
            Assert.That(
                Numbers.Doubles(Shapes.Transpose(tensor, order)),
                Is.EqualTo(Array.ConvertAll(Places(dims, order), place => (double)place)),
                $"{tensor} by {string.Join(", ", order)}");
        }
    }

    [Test]
    public void Types_of_every_size_are_moved()
    {
        int[] dims = [5, 3, 18], order = [2, 1, 0];
        int[] places = Places(dims, order);
        Assert.Multiple(() =>
        {
            Moves(n => (byte)n);
            Moves(n => (sbyte)n);
            Moves(n => n % 3 == 0);
            Moves(n => (Half)n);
            Moves(n => (short)n);
            Moves(n => (float)n);
            Moves(n => (double)n);
            Moves(n => $"{n}");
        });

        void Moves<T>(Converter<int, T> make)
        {
            OnnxTensor tensor = OnnxTensor.Create(Array.ConvertAll([.. Enumerable.Range(0, places.Length)], make), dims);
            OnnxTensor moved = Shapes.Transpose(tensor, order);
            Assert.That(moved.Dimensions.ToArray(), Is.EqualTo(new[] { 18, 3, 5 }));
            Assert.That(moved.Values<T>().ToArray(), Is.EqualTo(Array.ConvertAll(places, make)), typeof(T).Name);
        }
    }

    [Test]
    public void Nothing_is_moved_where_nothing_is()
    {
        OnnxTensor moved = Shapes.Transpose(OnnxTensor.Create<float>([], 3, 0, 2), [2, 0, 1]);
        Assert.That(moved.Dimensions.ToArray(), Is.EqualTo(new[] { 2, 3, 0 }));
    }

    /// <summary>The place of each element of the result in the source.</summary>
    private static int[] Places(int[] dims, int[] order)
    {
        int[] moved = Array.ConvertAll(order, axis => dims[axis]);
        var places = new int[dims.Aggregate(1, (product, extent) => product * extent)];
        var index = new int[dims.Length];
        for (int i = 0; i < places.Length; i++)
        {
            for (int axis = moved.Length - 1, rest = i; axis >= 0; rest /= moved[axis--])
            {
                index[order[axis]] = rest % moved[axis];
            }

            for (int axis = 0; axis < dims.Length; axis++)
            {
                places[i] = (places[i] * dims[axis]) + index[axis];
            }
        }

        return places;
    }
}
