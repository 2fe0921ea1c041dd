using System.Globalization;
using FastNN.Search;

namespace FastNN.Tests.Search;

/// <summary>
/// A space of settings whose values were computed once for some hundred places, as in NAS-Bench and HPO-B, so that searches can
/// be compared by hundreds of runs. Between the places the value is the mean of the nearest five, weighted by the inverse fourth
/// power of their distance; so none is below the least of the table. bench/FastNN.SearchPeers fills the tables, and its
/// optuna_spaces.py has the same function for Optuna.
/// </summary>
internal sealed class TabularSpace
{
    private const int Neighbors = 5;

    /// <summary>Two different choices are as far apart as numbers at half the length of their axis.</summary>
    private const double ChoiceDistance = 0.5;

    private readonly double[][] _places;
    private readonly double[] _values;

    public TabularSpace(SearchSpace space, IReadOnlyList<string> table)
    {
        Space = space;
        string[][] rows = [.. table.Skip(1).Where(line => line.Length > 0).Select(line => line.Split(','))];
        _places = [.. rows.Select(row => space.Parameters.Select((parameter, i) => PlaceOf(parameter, row[i])).ToArray())];
        _values = [.. rows.Select(row => double.Parse(row[^1], CultureInfo.InvariantCulture))];
    }

    /// <summary>Two layers on digits: how they are trained, and how large and of what kind they are.</summary>
    public static SearchSpace MnistMlp { get; } = new(
        new FloatParameter("lr", 1e-5, 1, log: true), new IntParameter("batch", 8, 256, log: true),
        new IntParameter("width", 8, 256, log: true), new FloatParameter("dropout", 0, 0.6),
        new ChoiceParameter("activation", "relu", "tanh", "sigmoid"), new ChoiceParameter("optimizer", "adam", "sgd"));

    /// <summary>A convolution and a layer on digits.</summary>
    public static SearchSpace MnistCnn { get; } = new(
        new FloatParameter("lr", 1e-5, 1e-1, log: true), new IntParameter("batch", 8, 128, log: true),
        new IntParameter("filters", 2, 16, log: true), new ChoiceParameter("kernel", "3", "5"),
        new FloatParameter("dropout", 0, 0.6), new FloatParameter("weight_decay", 1e-6, 1e-1, log: true));

    public SearchSpace Space { get; }

    /// <summary>The least value of the space.</summary>
    public double Least => _values.Min();

    public double ValueOf(Trial trial)
    {
        double[] at = [.. Space.Parameters.Select(parameter => PlaceOf(parameter, trial.Text(parameter.Name)))];
        (double Squared, double Value)[] nearest =
        [
            .. _places.Select((place, i) => (Squared: DistanceOf(at, place), Value: _values[i]))
                .OrderBy(other => other.Squared).Take(Neighbors),
        ];
        double weights = 0, sum = 0;
        foreach ((double squared, double value) in nearest)
        {
            double weight = 1 / ((squared * squared) + 1e-12);
            weights += weight;
            sum += weight * value;
        }

        return sum / weights;
    }

    /// <summary>The least value that a search of so many trials finds, less the least of the space.</summary>
    public double RegretOf(Sampler sampler, ulong seed, int trials) =>
        RegretOf(Space, ValueOf, Least, sampler, seed, trials);

    /// <summary>The same of any function.</summary>
    public static double RegretOf(
        SearchSpace space, Func<Trial, double> value, double least, Sampler sampler, ulong seed, int trials)
    {
        var study = new Study(space, sampler, seed: seed);
        study.Optimize(value, trials);
        return study.Best!.Value!.Value - least;
    }

    private static double PlaceOf(SearchParameter parameter, string text)
    {
        if (parameter is ChoiceParameter choice)
        {
            return choice.Choices.ToList().IndexOf(text);
        }

        (double low, double high, bool isLog) = parameter switch
        {
            FloatParameter number => (number.Low, number.High, number.IsLog),
            IntParameter number => (number.Low, number.High, number.IsLog),
            _ => throw new ArgumentException($"expected a number or a choice, got {parameter.GetType().Name}", nameof(parameter)),
        };
        double value = double.Parse(text, CultureInfo.InvariantCulture);
        return isLog ? Math.Log(value / low) / Math.Log(high / low) : (value - low) / (high - low);
    }

    private double DistanceOf(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double apart = Space.Parameters[i] is ChoiceParameter ? a[i] == b[i] ? 0 : ChoiceDistance : a[i] - b[i];
            sum += apart * apart;
        }

        return sum;
    }
}
