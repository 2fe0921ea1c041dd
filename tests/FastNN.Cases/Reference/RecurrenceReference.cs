using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Recurrent sequences in double, step by step and number by number, time first.</summary>
internal static class RecurrenceReference
{
    /// <summary>What a case has; behind the weights stand the biases, the first states and the lengths that there
    /// are.</summary>
    internal sealed record Sizes(
        RecurrentCell Cell, int Steps, int Batch, int Inputs, int Hidden, bool IsReverse, bool Bias, bool State, bool Lengths)
    {
        public int Gates => Cell == RecurrentCell.Lstm ? 4 : Cell == RecurrentCell.Gru ? 3 : 1;
    }

    /// <summary>h of every step, the last h, and of an LSTM the last c.</summary>
    public static double[][] Forward(Sizes sizes, double[][] inputs)
    {
        int at = 3;
        double[]? inputBias = sizes.Bias ? inputs[at++] : null, stateBias = sizes.Bias ? inputs[at++] : null;
        int n = sizes.Hidden, width = sizes.Gates * n;
        double[] h = sizes.State ? [.. inputs[at++]] : new double[sizes.Batch * n];
        double[] c = sizes.State && sizes.Cell == RecurrentCell.Lstm ? [.. inputs[at++]] : new double[sizes.Batch * n];
        double[]? lengths = sizes.Lengths ? inputs[at] : null;
        var y = new double[sizes.Steps * sizes.Batch * n];
        for (int s = 0; s < sizes.Steps; s++)
        {
            int time = sizes.IsReverse ? sizes.Steps - 1 - s : s;
            for (int b = 0; b < sizes.Batch; b++)
            {
                if (lengths is not null && time >= lengths[b])
                {
                    continue;
                }

                double[] before = h[(b * n)..((b + 1) * n)];
                for (int j = 0; j < n; j++)
                {
                    double Input(int gate) => Sum(
                        inputs[0], ((time * sizes.Batch) + b) * sizes.Inputs, sizes.Inputs, inputs[1], width, (gate * n) + j,
                        inputBias);
                    double State(int gate) => Sum(before, 0, n, inputs[2], width, (gate * n) + j, stateBias);
                    double Gate(int gate) => Sigmoid(Input(gate) + State(gate));
                    int place = (b * n) + j;
                    switch (sizes.Cell)
                    {
                        case RecurrentCell.Lstm:
                            c[place] = (Gate(1) * c[place]) + (Gate(0) * Math.Tanh(Input(2) + State(2)));
                            h[place] = Gate(3) * Math.Tanh(c[place]);
                            break;
                        case RecurrentCell.Gru:
                            double update = Gate(1), next = Math.Tanh(Input(2) + (Gate(0) * State(2)));
                            h[place] = ((1 - update) * next) + (update * before[j]);
                            break;
                        case RecurrentCell.Tanh:
                            h[place] = Math.Tanh(Input(0) + State(0));
                            break;
                        default:
                            h[place] = Math.Max(0, Input(0) + State(0));
                            break;
                    }

                    y[(((time * sizes.Batch) + b) * n) + j] = h[place];
                }
            }
        }

        return sizes.Cell == RecurrentCell.Lstm ? [y, h, c] : [y, h];
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Sum(double[] x, int from, int count, double[] weight, int stride, int column, double[]? bias)
    {
        double sum = bias?[column] ?? 0;
        for (int k = 0; k < count; k++)
        {
            sum += x[from + k] * weight[(k * stride) + column];
        }

        return sum;
    }
}
