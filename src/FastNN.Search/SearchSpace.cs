namespace FastNN.Search;

/// <summary>What a search chooses: parameters by name, in order.</summary>
public sealed class SearchSpace
{
    private readonly SearchParameter[] _parameters;

    /// <summary>A space.</summary>
    /// <param name="parameters">One or more, each with a name of its own.</param>
    /// <exception cref="ArgumentException">There are none, or two have one name.</exception>
    public SearchSpace(params IEnumerable<SearchParameter> parameters)
    {
        _parameters = [.. parameters];
        if (_parameters.Length == 0 || _parameters.Select(parameter => parameter.Name).Distinct().Count() != _parameters.Length)
        {
            throw new ArgumentException(
                $"SearchSpace: expected one parameter or more, each with a name of its own, got {(_parameters.Length == 0 ? "none" : string.Join(", ", _parameters.Select(parameter => parameter.Name)))}.",
                nameof(parameters));
        }
    }

    /// <summary>The parameters.</summary>
    public IReadOnlyList<SearchParameter> Parameters => _parameters;

    internal int IndexOf(string name)
    {
        int index = Array.FindIndex(_parameters, parameter => parameter.Name == name);
        return index >= 0
            ? index
            : throw new ArgumentException(
                $"SearchSpace: there is no parameter '{name}'; there are {string.Join(", ", _parameters.Select(parameter => parameter.Name))}.", nameof(name));
    }

    /// <summary>Values at a place in the unit cube.</summary>
    internal double[] FromUnit(ReadOnlySpan<double> unit)
    {
        var values = new double[_parameters.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = _parameters[i].FromUnit(unit[i]);
        }

        return values;
    }

    /// <summary>The place of values in the unit cube.</summary>
    internal double[] ToUnit(ReadOnlySpan<double> values)
    {
        var unit = new double[_parameters.Length];
        for (int i = 0; i < unit.Length; i++)
        {
            unit[i] = _parameters[i].ToUnit(values[i]);
        }

        return unit;
    }
}
