using System.Globalization;

namespace FastNN.Search;

/// <summary>An axis of a chart: numbers, logarithms of numbers, or choices.</summary>
internal sealed class ChartAxis
{
    private const int WantedTicks = 5;

    private readonly double _low;
    private readonly double _high;
    private readonly bool _isLog;
    private readonly IReadOnlyList<string>? _choices;

    private ChartAxis(string title, double low, double high, bool isLog, IReadOnlyList<string>? choices) =>
        (Title, _low, _high, _isLog, _choices) = (title, low, high, isLog, choices);

    public string Title { get; }

    /// <summary>From a number to another, with some room where they are one.</summary>
    public static ChartAxis OfNumbers(string title, double low, double high, bool isLog = false)
    {
        if (low == high)
        {
            (low, high) = isLog ? (low / 2, high * 2) : (low - 0.5, high + 0.5);
        }

        return new ChartAxis(title, low, high, isLog, null);
    }

    /// <summary>
    /// Around values, with a margin: by their logarithms where all are positive and the greatest is many times the least.
    /// </summary>
    public static ChartAxis Around(string title, IReadOnlyCollection<double> values)
    {
        const double ManyTimes = 200, Margin = 0.04;
        double low = values.Min(), high = values.Max();
        if (low > 0 && high / low > ManyTimes)
        {
            double factor = Math.Pow(high / low, Margin);
            return OfNumbers(title, low / factor, high * factor, isLog: true);
        }

        double room = (high - low) * Margin;
        return OfNumbers(title, low - room, high + room);
    }

    public static ChartAxis Of(SearchParameter parameter) => parameter switch
    {
        FloatParameter number => OfNumbers(number.Name, number.Low, number.High, number.IsLog),
        IntParameter number => OfNumbers(number.Name, number.Low, number.High, number.IsLog),
        ChoiceParameter choice => new ChartAxis(choice.Name, 0, choice.Choices.Count, false, choice.Choices),
        _ => throw new ArgumentException($"expected a number or a choice, got {parameter.GetType().Name}", nameof(parameter)),
    };

    /// <summary>Where a value lies, from 0 to 1; choices in the middle of their share.</summary>
    public double Place(double value) => _choices is { } choices
        ? (value + 0.5) / choices.Count
        : _isLog ? Math.Log(value / _low) / Math.Log(_high / _low) : (value - _low) / (_high - _low);

    /// <summary>What stands at the axis, and where.</summary>
    public IEnumerable<(double Place, string Text)> Ticks()
    {
        if (_choices is { } choices)
        {
            return choices.Select((choice, i) => (Place(i), choice));
        }

        return (_isLog ? Powers() : Round(_low, _high)).Select(
            value => (Place(value), value.ToString("G4", CultureInfo.InvariantCulture)));
    }

    /// <summary>Powers of ten, with their double and fivefold where there are few.</summary>
    private IEnumerable<double> Powers()
    {
        int from = (int)Math.Floor(Math.Log10(_low)), to = (int)Math.Ceiling(Math.Log10(_high));
        int[] multiples = to - from > 3 ? [1] : to - from > 1 ? [1, 3] : [1, 2, 3, 5, 7];
        int every = Math.Max(1, (to - from + WantedTicks) / (WantedTicks + 1));
        for (int power = from; power <= to; power += every)
        {
            foreach (int multiple in multiples)
            {
                double value = multiple * Math.Pow(10, power);
                if (value >= _low * (1 - 1e-9) && value <= _high * (1 + 1e-9))
                {
                    yield return value;
                }
            }
        }
    }

    /// <summary>Multiples of 1, 2 or 5 times a power of ten.</summary>
    private static IEnumerable<double> Round(double low, double high)
    {
        double rough = (high - low) / WantedTicks, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power) switch
        {
            < 1.5 => 1,
            < 3.5 => 2,
            < 7.5 => 5,
            _ => 10,
        };
        for (double i = Math.Ceiling(low / step); i * step <= high; i++)
        {
            // Not -0, and 0.3 rather than 0.30000000000000004.
            yield return Math.Round((i * step) + 0, 12);
        }
    }
}
