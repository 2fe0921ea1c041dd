using FastNN.Kernels;

namespace FastNN.Testing;

internal sealed class Pool2DCases : IOpCases
{
    public static IEnumerable<OpCase> Cases => MaxCases().Concat(AverageCases()).Concat(PoolingCases.All);

    private static IEnumerable<OpCase> MaxCases()
    {
        foreach (bool relu in new[] { false, true })
        {
            yield return Max(relu, [1, 1, 1, 1], (1, 1));
            yield return Max(relu, [2, 8, 8, 3], (2, 2));
            yield return Max(relu, [2, 7, 9, 17], (2, 2));
            yield return Max(relu, [1, 7, 7, 33], (2, 2), ceil: true);
            yield return Max(relu, [2, 9, 9, 3], (3, 3), (2, 2));
            yield return Max(relu, [1, 8, 8, 13], (3, 3), (2, 2), Padding2D.Symmetric(1, 1));
            yield return Max(relu, [1, 9, 7, 31], (3, 2), (1, 1), Padding2D.Explicit(1, 0, 0, 1));
            yield return Max(relu, [1, 7, 5, 7], (3, 3), (2, 2), Padding2D.Same);
            yield return Max(relu, [1, 9, 9, 2], (2, 2), (1, 1), dilation: (2, 3));
            yield return Max(relu, [1, 10, 10, 2], (2, 2), (3, 3));
            yield return Max(relu, [2, 13, 13, 1], (13, 13));
            yield return Max(relu, [1, 3, 1, 129], (3, 1), (1, 1));
            yield return Max(relu, [1, 5, 5, 129], (17, 17), (1, 1), Padding2D.Symmetric(8, 8));
        }
    }

    private static IEnumerable<OpCase> AverageCases()
    {
        yield return Average([1, 1, 1, 1], (1, 1));
        yield return Average([2, 8, 8, 3], (2, 2));
        yield return Average([2, 9, 9, 17], (3, 3), (2, 2), Padding2D.Symmetric(1, 1));
        yield return Average([2, 9, 9, 33], (3, 3), (2, 2), Padding2D.Symmetric(1, 1), includePad: false);
        yield return Average([1, 8, 8, 2], (3, 3), (2, 2), ceil: true);
        yield return Average([1, 8, 7, 13], (3, 3), (2, 2), Padding2D.Symmetric(1, 1), ceil: true);
        yield return Average([1, 8, 7, 13], (3, 3), (2, 2), Padding2D.Symmetric(1, 1), ceil: true, includePad: false);
        yield return Average([2, 6, 7, 2], (3, 2), (1, 1), Padding2D.Explicit(0, 1, 1, 0));
        yield return Average([1, 7, 5, 31], (3, 3), (2, 2), Padding2D.Same, includePad: false);
        yield return Average([1, 6, 6, 2], (2, 2), divisor: 3);
        yield return Average([1, 10, 10, 3], (2, 2), (3, 3));
        foreach (bool keep in new[] { false, true })
        {
            yield return Global([2, 7, 5, 3], keep);
            yield return Global([1, 1, 1, 129], keep);
            yield return Global([3, 13, 13, 33], keep);
        }
    }

    private static OpCase Max(
        bool relu, int[] x, (int Rows, int Columns) kernel, (int Rows, int Columns)? stride = null, Padding2D padding = default,
        (int Rows, int Columns)? dilation = null, bool ceil = false)
    {
        (int strideH, int strideW) = stride ?? kernel;
        (int dilationH, int dilationW) = dilation ?? (1, 1);
        Pool2DGeometry geometry = Pool2DGeometry.Max(
            x[0], x[1], x[2], x[3], kernel.Rows, kernel.Columns, strideH, strideW, padding, dilationH, dilationW, ceil);

        (double[] Y, int[] Winners) Forward(double[] values)
        {
            var y = new double[geometry.OutputCount];
            var winners = new int[y.Length];
            Pool2DReference.MaxForward(geometry, values, y, winners, relu);
            return (y, winners);
        }

        return new OpCase(
            $"max{(relu ? " of ReLU" : "")} {geometry} dilation {dilationH}x{dilationW}{(ceil ? " ceil" : "")}",
            [OpInput.Distinct("x", new Shape(x))],
            values => (relu ? values[0].ReLU() : values[0]).MaxPool2D(kernel, stride, padding, dilation, ceil),
            values => Forward(values[0]).Y)
        {
            ReferenceBackward = (values, dY) =>
            {
                (double[] y, int[] winners) = Forward(values[0]);
                var dX = new double[values[0].Length];
                Pool2DReference.MaxBackward(dY, y, winners, dX, relu);
                return [dX];
            },
        };
    }

    private static OpCase Average(
        int[] x, (int Rows, int Columns) kernel, (int Rows, int Columns)? stride = null, Padding2D padding = default,
        bool ceil = false,
        bool includePad = true, int divisor = 0)
    {
        (int strideH, int strideW) = stride ?? kernel;
        Pool2DGeometry geometry = Pool2DGeometry.Average(
            x[0], x[1], x[2], x[3], kernel.Rows, kernel.Columns, strideH, strideW, padding, ceil, includePad, divisor);
        return Average(
            $"mean {geometry}{(ceil ? " ceil" : "")}{(includePad ? "" : " without padding")}{(divisor == 0 ? "" : $" over {divisor}")}", x, geometry,
            value => value.AvgPool2D(kernel, stride, padding, ceil, includePad, divisor));
    }

    private static OpCase Average(string name, int[] x, Pool2DGeometry geometry, Func<Value, Value> build) => new(
        name, [OpInput.Uniform("x", new Shape(x))], values => build(values[0]), values =>
        {
            var y = new double[geometry.OutputCount];
            Pool2DReference.AverageForward(geometry, values[0], y);
            return y;
        })
    {
        ReferenceBackward = (values, dY) =>
        {
            var dX = new double[values[0].Length];
            Pool2DReference.AverageBackward(geometry, dY, dX);
            return [dX];
        },
    };

    private static OpCase Global(int[] x, bool keep) => Average(
        $"global {new Shape(x)}{(keep ? " keep" : "")}", x,
        Pool2DGeometry.Average(x[0], x[1], x[2], x[3], x[1], x[2], 1, 1, Padding2D.Valid),
        value => value.GlobalAvgPool2D(keep));
}
