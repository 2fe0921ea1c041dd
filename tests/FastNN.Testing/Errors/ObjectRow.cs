using System.Reflection;

namespace FastNN.Testing;

/// <summary>Makes a layer anew for every trial, since a layer keeps the parameters of its first input.</summary>
internal sealed record CallLayer(Func<Layer> Make)
{
    public override string ToString() => Make().ToString();
}

/// <summary>
/// Rows whose arguments are those of a constructor, then the values of all properties that can be set, then what the object is
/// used with.
/// </summary>
internal static class ObjectRow
{
    /// <summary>An object of a type, made and used.</summary>
    /// <param name="type">Its class.</param>
    /// <param name="arguments">Of the constructor; those left out have their defaults.</param>
    /// <param name="operands">What it is used with.</param>
    /// <param name="use">Takes the object and the operands, and gives a value, or an array or tuple of them.</param>
    /// <param name="set">Properties that have another value than their default.</param>
    public static CallRow Of(
        Type type, object?[] arguments, object?[] operands, Func<object, object?[], object> use,
        params (string Name, object? Value)[] set)
    {
        ConstructorInfo constructor = type.GetConstructors()
            .First(constructor => Array.TrueForAll(constructor.GetParameters(), each => !each.ParameterType.IsByRefLike));
        ParameterInfo[] parameters = constructor.GetParameters();
        object?[] given =
        [
            .. parameters.Select((parameter, i) => i >= arguments.Length
                ? CallRow.Default(parameter)
                : CallRow.Convert(arguments[i], parameter.ParameterType)),
        ];
        object example = Make(constructor, given);
        PropertyInfo[] properties = [.. Settable(type)];
        Dictionary<string, object?> others = set.ToDictionary(property => property.Name, property => property.Value);
        object?[] values =
        [
            .. properties.Select(property => others.TryGetValue(property.Name, out object? value)
                ? CallRow.Convert(value, property.PropertyType)
                : property.CanRead ? property.GetValue(example) : null),
        ];
        Type[] types =
        [
            .. parameters.Select(parameter => parameter.ParameterType),
            .. properties.Select(property => property.PropertyType),
            .. operands.Select(operand => operand!.GetType()),
        ];
        return new CallRow(type.Name, types, [.. given, .. values, .. operands], all =>
        {
            object made = Make(constructor, all[..given.Length]);
            for (int i = 0; i < properties.Length; i++)
            {
                properties[i].SetMethod!.Invoke(
                    made, BindingFlags.DoNotWrapExceptions, null, [Made(all[given.Length + i])], null);
            }

            return use(made, all[(given.Length + properties.Length)..]);
        })
        {
            Names = [.. parameters.Select(parameter => parameter.Name!), .. properties.Select(property => property.Name)],
        };
    }

    /// <summary>The properties that users of a class can set, its base classes' among them.</summary>
    private static IEnumerable<PropertyInfo> Settable(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0
                && property.Name is not (nameof(Layer.Name) or nameof(Layer.IsTrainable)));

    private static object Make(ConstructorInfo constructor, object?[] arguments) =>
        constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, Array.ConvertAll(arguments, Made), null);

    /// <summary>An argument as the class takes it.</summary>
    public static object? Made(object? argument) => argument switch
    {
        CallLayer layer => layer.Make(),
        CallLayer[] layers => Array.ConvertAll(layers, layer => layer?.Make()!),
        _ => argument,
    };
}
