using System.Reflection;
using System.Runtime.CompilerServices;

namespace FastNN.Testing;

/// <summary>A call that is right, and how to make it with other arguments.</summary>
/// <param name="Name">That of the call.</param>
/// <param name="Types">The declared types of the arguments.</param>
/// <param name="Arguments">Operands stand for values.</param>
/// <param name="Call">Takes arguments whose operands have become values, and gives a value, an array or a tuple of them.</param>
internal sealed record CallRow(string Name, Type[] Types, object?[] Arguments, Func<object?[], object> Call)
{
    /// <summary>The names of the first arguments, as far as they are known.</summary>
    public string[] Names { get; init; } = [];

    /// <summary>A public call of one of the classes of operators; arguments that are not given have their defaults.</summary>
    public static CallRow Of(string name, params object?[] arguments)
    {
        MethodInfo method = Calls.First(method => method.Name == name && Fits(method.GetParameters(), arguments));
        ParameterInfo[] parameters = method.GetParameters();
        Type[] types = Array.ConvertAll(parameters, parameter => parameter.ParameterType);
        object?[] all = [
            .. parameters.Select((parameter, i) => i < arguments.Length ? Convert(arguments[i], types[i]) : Default(parameter))];
        return new CallRow(
            name, types, all, given => method.Invoke(null, BindingFlags.DoNotWrapExceptions, null, given, null)!)
        {
            Names = Array.ConvertAll(parameters, parameter => parameter.Name!),
        };
    }

    /// <summary>A public static method of a class, whose result is used.</summary>
    public static CallRow Of(Type type, string name, object?[] arguments, Func<object, object> use)
    {
        MethodInfo method = type.GetMethod(name, BindingFlags.Public | BindingFlags.Static)!;
        ParameterInfo[] parameters = method.GetParameters();
        return new CallRow(
            $"{type.Name}.{name}", Array.ConvertAll(parameters, parameter => parameter.ParameterType),
            [.. parameters.Select((parameter, i) => i < arguments.Length ? arguments[i] : Default(parameter))],
            given => use(method.Invoke(null, BindingFlags.DoNotWrapExceptions, null, given, null)!))
        {
            Names = Array.ConvertAll(parameters, parameter => parameter.Name!),
        };
    }

    /// <summary>A call that takes spans, which reflection cannot hand over.</summary>
    public static CallRow Of(string name, object?[] arguments, Func<object?[], object> call) =>
        new(
            name, [.. arguments.Select(argument => argument is CallInput or null ? typeof(Value) : argument.GetType())],
            arguments, call);

    /// <summary>The public calls that record operators.</summary>
    public static IReadOnlyList<MethodInfo> Calls { get; } =
    [
        .. typeof(Device).Assembly.ExportedTypes
            .Where(type => type is { IsAbstract: true, IsSealed: true, IsNested: false }
                && type.Name.EndsWith("Operators", StringComparison.Ordinal))
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => IsValue(method.ReturnType) && !method.IsSpecialName
                && !method.Name.StartsWith("op_", StringComparison.Ordinal)),
    ];

    /// <summary>The one argument or two that are replaced, with all the others.</summary>
    public IEnumerable<Mutation> Mutations =>
        Arguments.SelectMany((argument, i) => Mutation.Of(i, Types[i], argument));

    /// <summary>The arguments with some replaced.</summary>
    public object?[] With(params ReadOnlySpan<Mutation> mutations)
    {
        object?[] arguments = [.. Arguments];
        foreach (Mutation mutation in mutations)
        {
            arguments[mutation.Argument] = mutation.Value;
        }

        return arguments;
    }

    public override string ToString() => Name;

    private static bool IsValue(Type type) => type == typeof(Value) || type == typeof(Value[])
        || (type.IsGenericType && type.IsAssignableTo(typeof(ITuple)) && Array.TrueForAll(type.GetGenericArguments(), IsValue));

    private static bool Fits(ParameterInfo[] parameters, object?[] arguments) =>
        arguments.Length <= parameters.Length && parameters.Select((parameter, i) => (parameter, i)).All(
            at => !at.parameter.ParameterType.IsByRefLike && (at.i >= arguments.Length
                ? at.parameter.HasDefaultValue
                : CanBe(arguments[at.i], at.parameter.ParameterType)));

    private static bool CanBe(object? argument, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return argument switch
        {
            null => true,
            CallInput => type == typeof(Value),
            int when type == typeof(Size2D) || type == typeof(Size3D) => true,
            _ => type.IsInstanceOfType(argument),
        };
    }

    /// <summary>An argument as a parameter of this type takes it.</summary>
    public static object? Convert(object? argument, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return argument switch
        {
            int number when type == typeof(Size2D) => new Size2D(number, number),
            int number when type == typeof(Size3D) => new Size3D(number, number, number),
            _ => argument,
        };
    }

    /// <summary>What an optional parameter is where nothing is given.</summary>
    public static object? Default(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        Type inner = Nullable.GetUnderlyingType(type) ?? type;
        return parameter.DefaultValue is null
            ? type.IsValueType ? Activator.CreateInstance(type) : null
            : inner.IsEnum ? Enum.ToObject(inner, parameter.DefaultValue) : parameter.DefaultValue;
    }
}
