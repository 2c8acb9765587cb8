/** A gateway's media half that is none. */
export default {};
