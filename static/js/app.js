import "./copy.js";
import "./dialog.js";
import "./failures.js";
import "./filter.js";
import "./menu.js";
import "./once.js";
import "./reveal.js";
import "./toast.js";
